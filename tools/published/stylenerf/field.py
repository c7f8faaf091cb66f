"""The foreground field: points to density and features, modulated by w (Gu et al. 2022, StyleNeRF)."""

import torch
import torch.nn as nn

from .configuration import Configuration
from .encoding import encode
from .layers import Modulated, Pointwise, rectify


class Field(nn.Module):
    """`resolve` makes plain kernels from w; the other functions take them, so that no weight is looked at again for points."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        c = self.configuration = configuration
        self.fc_in = Modulated(c.w_dim, 6 * c.frequencies, c.hidden)
        self.blocks = nn.ModuleList(Modulated(c.w_dim, c.hidden, c.hidden) for _ in range(c.blocks - 1))
        self.sigma_out = Modulated(c.w_dim, c.hidden, 1, activated=False)
        self.feat_out = Modulated(c.w_dim, c.hidden, c.features, activated=False)
        self.to_rgb = Pointwise(c.features, 3)

    @property
    def layers(self):
        return [self.fc_in, *self.blocks, self.sigma_out, self.feat_out]

    def resolve(self, w):
        """w [n,blocks + 2,D] -> kernels [n,outputs,inputs] and biases [n,outputs] by turns: of the layers, then of RGB from features."""
        parts = []
        for index, layer in enumerate(self.layers):
            parts += [layer.kernel(w[:, index]), layer.shift().expand(w.shape[0], -1)]
        return parts + [self.to_rgb.kernel().expand(w.shape[0], -1, -1), self.to_rgb.bias.expand(w.shape[0], -1)]


def shapes(c: Configuration):
    """Shapes of what `Field.resolve` gives, without the first axis."""
    sizes = [(c.hidden, 6 * c.frequencies), *[(c.hidden, c.hidden)] * (c.blocks - 1), (1, c.hidden), (c.features, c.hidden), (3, c.features)]
    return [shape for outputs, inputs in sizes for shape in ((outputs, inputs), (outputs,))]


def decode(parts, points, octaves: int):
    """Resolved parts of one w and points [m,3] -> density [m], which may be negative, and the last hidden layer [m,hidden].

    Computed in the parts' precision, but for what tells points apart: their encoding is made in float32.
    """
    layers = [part[0] for part in parts]
    x = encode(points, octaves).to(layers[0].dtype)
    for kernel, bias in zip(layers[:-6:2], layers[1:-6:2]):
        x = rectify(torch.addmm(bias, x, kernel.t()))
    return torch.addmm(layers[-5], x, layers[-6].t())[:, 0], x


def finish(parts, hidden, alpha):
    """Hidden layers composited along rays [N,hidden] and the sum of their weights [N] -> features and then RGB [features + 3,N].

    What follows the last hidden layer is linear, so it is computed once a ray and not for every sample.
    """
    features_kernel, features_bias, rgb_kernel, rgb_bias = (part[0] for part in parts[-4:])
    features = features_kernel @ hidden.t() + features_bias[:, None] * alpha
    return torch.cat([features, rgb_kernel @ features + rgb_bias[:, None] * alpha])
