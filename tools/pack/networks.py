"""The two recognition networks: face coefficients (`deep3d`) and face parsing (`parse`)."""

from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from ..heads import params as P

CLASSES = 16


@dataclass(frozen=True)
class Sizes:
    deep3d: tuple = (16, 32, 64, 128)
    hidden: int = 256
    parse: tuple = (16, 32, 48, 64)
    parse_side: int = 128


STUDIO = Sizes()
TINY = Sizes(deep3d=(4, 8, 8, 8), hidden=16, parse=(4, 6, 8, 8), parse_side=32)


def _conv(i, o, stride=1, k=3):
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class _Residual(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a, self.b = _conv(n, n), nn.Sequential(nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n))

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)))


class Deep3D(nn.Module):
    """image [n,3,224,224] in [0,1] -> coefficients [n,K]; the picture is halved first."""

    def __init__(self, sizes=STUDIO):
        super().__init__()
        a, b, c, d = sizes.deep3d
        self.body = nn.Sequential(
            _conv(3, a, 2), _conv(a, b, 2), _Residual(b), _conv(b, c, 2), _Residual(c), _conv(c, d, 2), _Residual(d)
        )  # fmt: skip
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(d * 49, sizes.hidden), nn.ReLU(), nn.Linear(sizes.hidden, P.K))
        self.register_buffer("mean", torch.zeros(P.K))
        self.register_buffer("std", torch.ones(P.K))

    def half(self, image):
        """The same from a picture of 112 px."""
        return self.head(self.body(image * 2 - 1)) * self.std + self.mean

    def forward(self, image):
        return self.half(F.avg_pool2d(image, 2))


class Parse(nn.Module):
    """image [n,3,Q,Q] in [0,1] -> logits [n,16,Q,Q]: a U-Net (Ronneberger et al. 2015) that works at half the side."""

    def __init__(self, sizes=STUDIO):
        super().__init__()
        a, b, c, d = sizes.parse
        at = torch.linspace(-1, 1, sizes.parse_side)
        place = torch.stack([at[None].expand(len(at), -1), at[:, None].expand(-1, len(at))])[None]
        self.register_buffer("place", place)  # the crop is aligned: where a pixel lies says much about what it is
        self.stem = nn.Sequential(_conv(5, a, 2), _conv(a, a))
        self.down = nn.ModuleList([nn.Sequential(_conv(i, o, 2), _conv(o, o)) for i, o in ((a, b), (b, c), (c, d))])
        self.deep = _Residual(d)
        self.up = nn.ModuleList([nn.Sequential(_conv(i + o, o, k=1), _conv(o, o)) for i, o in ((d, c), (c, b), (b, a))])
        self.out = nn.Conv2d(a + 12, CLASSES * 4, 1)
        nn.init.zeros_(self.out.weight), nn.init.zeros_(self.out.bias)
        self.prior = nn.Parameter(torch.zeros(1, CLASSES, sizes.parse_side // 2, sizes.parse_side // 2))  # logits by place

    def forward(self, image):
        n, _, h, w = image.shape
        x = self.stem(torch.cat([image * 2 - 1, self.place.expand(n, -1, h, w)], 1))
        skips = [x]
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.deep(x)
        for up, skip in zip(self.up, reversed(skips[:-1])):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = up(torch.cat([x, skip], 1))
        detail = F.pixel_unshuffle(image * 2 - 1, 2)  # full-resolution colours help the borders
        prior = F.interpolate(self.prior, scale_factor=2, mode="bilinear", align_corners=False)
        return F.pixel_shuffle(self.out(torch.cat([x, detail], 1)), 2) + prior

    def count(self, labels):
        """Sets the prior to the log frequencies of classes at each place; labels uint8 [n,Q,Q]."""
        side = self.prior.shape[-1]
        small = torch.as_tensor(labels[:, 1::2, 1::2])
        counts = torch.stack([(small == c).float().mean(0) for c in range(CLASSES)])
        counts = F.avg_pool2d(F.pad(counts[None], (1, 1, 1, 1), mode="replicate"), 3, 1)
        if counts.shape[-1] != side:
            raise ValueError(f"labels of side {labels.shape[-1]}, the network's is {2 * side}")
        self.prior.data = torch.log(counts + 1e-3)
