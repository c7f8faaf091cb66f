"""LPIPS (Zhang et al. 2018): how different two pictures look, as the distance of weighted features of a classifier.

Features of several layers are normalised across channels; the distance is the mean over places of the weighted squares. Weights and means are
put into the features here, w and 1/(h·w) as their square roots, so that the distance is a plain sum of squares and the features of a target
are computed once.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .errors import Unfit
from .layers import convolution
from .source import Source

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
TINY = 1e-10


class Perceptual(nn.Module):
    """A tower of convolutions, and features of some of its layers.

    `plan` lists the layers: (name, inputs, outputs, side, stride, padding) of a convolution, ReLU after it; or ("pool", side). `taps` are the places
    in the list after which features are taken. `heads` holds the weights of channels, `lin0.model.1.weight` [1,C,1,1] and on.
    """

    def __init__(self, source: Source, heads: Source, plan: list[tuple], taps: list[int]):
        super().__init__()
        self.plan, self.taps = plan, taps
        self.layers = nn.ModuleList([nn.Identity() if layer[0] == "pool" else convolution(source, *layer, bias=True) for layer in plan])
        for index, tap in enumerate(taps):
            name, channels = f"lin{index}.model.1.weight", plan[tap][2]
            weight = heads.take(name, 1, channels, 1, 1)
            if (weight < 0).any():
                raise Unfit(f"{heads.place}, {name}", "expected weights of 0 or more, found less")
            self.register_buffer(f"head{index}", weight.sqrt())

    def features(self, image):
        """image [n,3,h,w] in [-1,1] -> features [n,F]; the distance of two pictures is the sum of their squared differences."""
        mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (MEAN, STD))
        # (image + 1)/2 in [0,1], rounded as the `lpips` package rounds it
        x = (image - (2 * mean - 1).mul(1000).round().div(1000)) / (2 * std)
        found = []
        for index, (layer, entry) in enumerate(zip(self.layers, self.plan)):
            x = F.max_pool2d(x, entry[1], 2) if entry[0] == "pool" else F.relu(layer(x))
            if index in self.taps:
                # the square root has no slope at 0: bounded, gradients stay finite where all channels are silent
                length = x.square().sum(1, keepdim=True).clamp(min=TINY**2).sqrt()
                scale = getattr(self, f"head{len(found)}") * (x.shape[2] * x.shape[3]) ** -0.5
                found.append((x / (length + TINY) * scale).flatten(1))
        return torch.cat(found, 1)

    def forward(self, image, target):
        """image, target [n,3,h,w] in [-1,1] -> distance [n]."""
        return (self.features(image) - self.features(target)).square().sum(1)
