"""The generator as the optimisations see it: tuned weights and frozen planes apart, sample points given.

Points are *canonical*, that is, taken back to the mean identity already: the identity stays fixed while weights are tuned, so the
un-warping needs no gradient and is done once a view instead of once a step.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from . import generator as N
from .marching import march
from .planes import features as look_up
from .roles import texels



class Sampling:
    """Samples a ray while optimising: coarse ones along the whole ray and fine ones at the surface."""

    def __init__(self, config: N.Config):
        self.coarse, self.fine = max(4, config.coarse // 2), max(4, config.fine * 2 // 3)


class Volume(nn.Module):
    """Renders with given planes, palette, points and depths. Parameter names are those of the generator under `generator.`."""

    def __init__(self, generator: N.Generator):
        super().__init__()
        self.generator = generator

    def frozen(self, style):
        """What inversion leaves alone of the planes' mixture, `[1,3C,side,side]`."""
        return self.generator.frozen(style)

    def planes(self, style, frozen, plane_offset=None):
        """All planes of a style, given their frozen part."""
        return self.generator.planes(style, plane_offset, frozen)

    def palette(self, w):
        """What a person's texture adds to the decoder's last layer, weights and bias beside each other `[1+C,hidden+1]`."""
        return self.generator.moved(w)[0]

    def features(self, planes, points):
        """The sum of the planes at canonical points `[M,3]`: `[M,C]`."""
        return look_up(texels(planes), points, N.RADIUS)

    def material(self, palette, features):
        """What features of the planes `[M,C]` stand for, `[M,1+C]`: density before softplus, then features of the picture."""
        g = self.generator
        hidden = F.leaky_relu(g.decode1(features), 0.2)
        return F.linear(hidden, g.decode2.weight + palette[:, :-1], g.decode2.bias + palette[:, -1])

    def decode(self, field, points):
        """A field (planes, palette) at canonical points `[M,3]` -> `[M,1+C]`, as `material` gives it."""
        planes, palette = field
        return self.material(palette, self.features(planes, points))

    def march(self, field, points, depths, void=None, marked=None):
        """points `[1,N,S,3]`, depths `[1,N,S]` -> features `[1,C,R,R]` before the background, alpha and depth `[1,1,R,R]`, and how much of each
        ray's `marked [1,N,S]` samples is seen `[N]`. Where `void [1,N,S]` is 1, samples count as empty."""
        planes, palette = field
        side, g = round(depths.shape[1] ** 0.5), self.generator
        empty, marked = (torch.zeros_like(depths) if x is None else x for x in (void, marked))
        decoder = g.decode1.weight, g.decode1.bias, g.decode2.weight + palette[:, :-1], g.decode2.bias + palette[:, -1]
        features, sums = march(texels(planes), *decoder, points.reshape(-1, 3), depths[0], empty[0], marked[0])
        alpha, depth, seen = sums
        depth = depth / (alpha + 1e-6)
        return features.reshape(1, -1, side, side), alpha.reshape(1, 1, side, side), depth.reshape(1, 1, side, side), seen

    def forward(self, field, style, points, depths, background, void=None, marked=None):
        """-> dict of image `[1,3,P,P]` and low `[1,3,R,R]` in [-1,1], and of what else `march` gives, marked included."""
        features, alpha, depth, seen = self.march(field, points, depths, void, marked)
        features = features + (1 - alpha) * background
        image = self.generator.upsample({"style": style}, features)
        return {"image": image, "low": features[:, :3], "alpha": alpha, "depth": depth, "marked": seen}

    def unwarp(self, w, points):
        """Points `[1,N,S,3]` of the person w back to the mean identity."""
        flat = points.reshape(1, -1, 1, 1, 3) / N.RADIUS
        back = F.grid_sample(self.generator.warp(w), flat, align_corners=True, padding_mode="border")
        return points + back.reshape(3, -1).t().reshape(points.shape)

    def sample(self, field, w, origins, directions, coarse, fine):
        """Where rays `[1,N,3]` are sampled: canonical points `[1,N,S,3]` and depths `[1,N,S]`, coarse ones and ones at the surface."""
        at = lambda t: self.unwarp(w, along(origins, directions, t))
        first = origins.norm(dim=-1, keepdim=True) + torch.linspace(-N.NEAR, N.FAR, 2 * coarse)
        density = self.decode(field, at(first).reshape(-1, 3))[:, 0].reshape(first.shape)
        weight = N.weights(density, first) + 1e-3
        weight = torch.maximum(weight, 0.5 * F.pad(weight, (1, 0))[..., :-1])
        surface = N.importance(weight, first, fine, (N.FAR + N.NEAR) / (2 * coarse - 1))
        depths = torch.sort(torch.cat([first[..., ::2], surface], -1), dim=-1)[0]
        return at(depths), depths


def along(origins, directions, depths):
    """Points `[1,N,S,3]` at `depths [1,N,S]` of rays `[1,N,3]`."""
    return origins[:, :, None] + depths[..., None] * directions[:, :, None]
