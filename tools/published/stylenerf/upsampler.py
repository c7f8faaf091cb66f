"""The 2-D up-sampler: features of rays to a picture, each block of which doubles the side (Gu et al. 2022, StyleNeRF).

A block enlarges by nearest neighbours, adds what a small network makes of them and of their neighbours, and blurs. Everything but the blur
and the neighbours is pointwise, so a block works on *phases*: the four pictures of even and odd rows and columns, one batch of the small
side. They are put together only where fewer channels are left: behind the next block's first kernel, and in the RGB picture.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .configuration import Configuration
from .layers import GAIN, Modulated, Pointwise, rectify


class Enlarging(Modulated):
    """The first layer of a block. `adapter` is the small network that looks at a pixel and at the mean of two of its neighbours."""

    def __init__(self, w_dim: int, inputs: int, outputs: int, magnitude: bool):
        super().__init__(w_dim, inputs, outputs, magnitude=magnitude)
        self.adapter = nn.ModuleList([Pointwise(2 * outputs, outputs // 4), Pointwise(outputs // 4, outputs)])


class Block(nn.Module):
    def __init__(self, configuration: Configuration, side: int, inputs: int):
        super().__init__()
        c, outputs = configuration, configuration.channels(side)
        self.conv0 = Enlarging(c.w_dim, inputs, outputs, c.magnitudes)
        self.conv1 = Modulated(c.w_dim, outputs, outputs, magnitude=c.magnitudes)
        self.torgb = Modulated(c.w_dim, outputs, 3, activated=False)
        if c.noise:
            for layer in (self.conv0, self.conv1):
                layer.register_buffer("noise_const", torch.randn(side, side))
                layer.noise_strength = nn.Parameter(torch.zeros([]))

    def resolve(self, w):
        """w [1,3,D] -> the tensors that `enlarge` takes, without a first axis; `shapes` has theirs."""
        outputs = self.conv0.weight.shape[0]
        near, further = self.conv0.adapter
        parts = [self.conv0.kernel(w[:, 0])[0], *near.kernel().split(outputs, 1), near.bias * GAIN, further.kernel() * GAIN]
        parts += [further.bias * GAIN, self.conv0.shift(), self.conv1.kernel(w[:, 1])[0], self.conv1.shift()]
        parts += [self.torgb.kernel(w[:, 2])[0], self.torgb.shift()]
        if hasattr(self.conv0, "noise_strength"):
            parts += [GAIN * layer.noise_const * layer.noise_strength for layer in (self.conv0, self.conv1)]
        return parts


def shapes(c: Configuration):
    """Shapes of what the blocks resolve to: a list for each."""
    found, inputs = [], c.features
    for side in c.resolutions:
        o = c.channels(side)
        q = o // 4
        block = [(o, inputs), (q, o), (q, o), (q,), (o, q), (o,), (o,), (o, o), (o,), (3, o), (3,)]
        found.append(block + ([(side, side)] * 2 if c.noise else []))
        inputs = o
    return found


def pointwise(x, kernel, bias=None):
    return F.conv2d(x, kernel[:, :, None, None], bias)


def split(x):
    """A picture [1,c,2h,2w] -> its phases [4,c,h,w]: even rows first, even columns first in them."""
    _, c, h, w = x.shape
    return x.reshape(c, h // 2, 2, w // 2, 2).permute(2, 4, 0, 1, 3).reshape(4, c, h // 2, w // 2)


def join(x):
    """Phases [4,c,h,w] -> the picture [1,c,2h,2w]."""
    _, c, h, w = x.shape
    return x.reshape(2, 2, c, h, w).permute(2, 3, 0, 4, 1).reshape(1, c, 2 * h, 2 * w)


def before(x, axis):
    """x moved on by one along a spatial axis (2 or 3), with zeros where it came in: every place holds what lies before it."""
    return F.pad(x, (0, 0, 1, 0))[:, :, :-1] if axis == 2 else F.pad(x, (1, 0))[..., :-1]


def after(x, axis):
    """The same to the other side: every place holds what lies after it."""
    return F.pad(x, (0, 0, 0, 1))[:, :, 1:] if axis == 2 else F.pad(x, (0, 1))[..., 1:]


def blurred(even, odd, axis):
    """Even and odd phase along an axis -> both, blurred by the kernel 1 3 3 1 (over 8) with zeros around."""
    last = before(odd, axis)
    middle = 3 * even
    return (before(even, axis) + 3 * last + middle + odd) / 8, (last + middle + 3 * odd + after(even, axis)) / 8


def blur(phases):
    """Phases [4,c,h,w] of a picture -> those of the blurred picture."""
    rows = blurred(phases[:2], phases[2:], 2)
    return torch.cat([x for row in rows for x in blurred(row[:1], row[1:], 3)])


def blur_enlarged(x):
    """A picture [1,c,h,w] -> phases [4,c,h,w] of itself enlarged by nearest neighbours and blurred."""
    return torch.cat([column for row in _doubled(x, 2) for column in _doubled(row, 3)])


def _doubled(x, axis):
    last = before(x, axis)
    return (last + x) / 2, (last + 6 * x + after(x, axis)) / 8


def neighbours(x):
    """x [1,c,h,w] -> for each phase of the enlarged picture the mean of the two pixels beside it [4,c,h,w], zeros outside."""
    left, up, right, down = before(x, 3), before(x, 2), after(x, 3), after(x, 2)
    return torch.cat([left + up, up + right, left + down, down + right]) / 2


def enlarge(parts, x, image, clamp: float | None):
    """One block. x [1,c,h,w], or phases [4,c,h/2,w/2] of it, and the RGB picture so far [1,3,h,w] -> phases [4,o,h,w], picture [1,3,2h,2w]."""
    kernel, near, around, bias, out, out_bias, shift, second, second_shift, rgb, rgb_shift, *noise = parts
    x = pointwise(x, kernel)
    if len(x) == 4:
        x = join(x)
    q = near.shape[0]
    seen = pointwise(x, torch.cat([near, around]))
    hidden = rectify(seen[:, :q] + neighbours(seen[:, q:]) + bias[:, None, None])
    base = blur_enlarged(x + out_bias[:, None, None])
    x = base + pointwise(blur(hidden), out, shift)
    if noise:
        x = x + split(noise[0][None, None])
    x = bounded(rectify(x), clamp)
    x = pointwise(x, second, second_shift)
    if noise:
        x = x + split(noise[1][None, None])
    x = bounded(rectify(x), clamp)
    return x, doubled_picture(image) + join(bounded(pointwise(x, rgb, rgb_shift), clamp)).to(image.dtype)


def bounded(x, clamp):
    return x if clamp is None else x.clamp(-clamp, clamp)


def doubled_picture(image):
    """image [1,3,h,w] -> [1,3,2h,2w], interpolated by the kernel 1 3 3 1 with zeros around."""
    for axis in (2, 3):
        even, odd = (before(image, axis) + 3 * image) / 4, (3 * image + after(image, axis)) / 4
        image = torch.stack([even, odd], axis + 1).flatten(axis, axis + 1)
    return image


def upsample(blocks, features, clamp: float | None):
    """Resolved parts of all blocks and features with RGB last [1,features + 3,R,R] -> picture [1,3,P,P], about in [-1,1].

    Blocks compute in their parts' precision; the picture is added up in that of the features.
    """
    x, image = features[:, :-3].to(blocks[0][0].dtype), features[:, -3:]
    for parts in blocks:
        x, image = enlarge(parts, x, image, clamp)
    return image
