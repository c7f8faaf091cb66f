"""Photometric augmentation that brings renders nearer to photographs. Pictures are [n,3,s,s] in [0,1]."""

import numpy as np
import torch
import torch.nn.functional as F

from ..heads import backgrounds, camera
from ..heads import params as P


def _rand(n, low, high):
    return torch.rand(n, 1, 1, 1) * (high - low) + low


def texture(n, side):
    """Random smooth to busy colour fields, as backgrounds and occluders."""
    out = torch.zeros(n, 3, side, side)
    for cells in (2, 5, 12, 28):
        field = F.interpolate(torch.rand(n, 3, cells, cells), size=side, mode="bilinear", align_corners=False)
        out = out + (field - 0.5) * _rand(n, 0, 1) * (1.2 if cells < 6 else 0.7)
    return (out + torch.rand(n, 3, 1, 1)).clamp(0, 1)


def jpeg_like(x, strength):
    """Blocky chroma and quantised detail, as strong compression leaves them; strength [n,1,1,1] in [0,1]."""
    grey = x.mean(1, keepdim=True)
    chroma = F.interpolate(F.avg_pool2d(x - grey, 4), scale_factor=4)
    block = F.interpolate(F.avg_pool2d(grey, 8), scale_factor=8)
    step = 0.01 + 0.06 * strength
    detail = torch.round((grey - block) / step) * step
    return x + strength * (block + detail + chroma - x)


def elsewhere(image, alpha, p, rng):
    """People of a batch before made backgrounds, a third of the time before busy colours: alpha [n,1,s,s] in [0,1], p [n,D] says what is behind them."""
    n, _, side, _ = image.shape
    batch = lambda pictures: torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    behind = batch([backgrounds.of_colours(colours, side) for colours in p[:, P.SLOT["background"]].numpy()])
    made = batch([backgrounds.draw(rng, side) for _ in range(n)])
    other = torch.where(torch.rand(n, 1, 1, 1) < 0.33, texture(n, side), made)
    other = torch.where(torch.rand(n, 1, 1, 1) < 0.25, behind, other)
    return (image + (1 - alpha) * (other - behind)).clamp(0, 1)


def photographed(image, rng):
    """A batch as random cameras would have taken it."""
    taken = [camera.photograph(one, rng) for one in image.permute(0, 2, 3, 1).numpy()]
    return torch.from_numpy(np.stack(taken)).permute(0, 3, 1, 2).float() / 255


def photometric(image):
    """A batch with harsher changes than cameras make, and where occluders cover it [n,s,s]."""
    n, _, side, _ = image.shape
    x = image
    # a patch over a corner of the face, a tenth of the time
    box = torch.rand(n, 4)
    at = torch.linspace(0, 1, side)
    inside = ((at[None] - box[:, :1]).abs() < 0.04 + 0.14 * box[:, 2:3])[:, None, :] & ((at[None] - box[:, 1:2]).abs() < 0.04 + 0.14 * box[:, 3:])[:, :, None]
    cover = inside[:, None] & (torch.rand(n, 1, 1, 1) < 0.25)
    x = torch.where(cover, texture(n, side), x)
    # soft shadows and light across the picture
    shade = F.interpolate(torch.rand(n, 1, 3, 3), size=side, mode="bicubic", align_corners=False)
    x = x * (1 + (shade - 0.5) * _rand(n, 0, 1.1))
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * _rand(n, 0.3, 1.5)
    x = (x - 0.5) * _rand(n, 0.6, 1.4) + 0.5 + _rand(n, -0.15, 0.15)
    x = x * (1 + 0.12 * torch.randn(n, 3, 1, 1))
    x = x.clamp(0.001, 1) ** torch.exp(0.35 * torch.randn(n, 1, 1, 1))
    # fine texture that the renders lack: pores, hair, cloth
    x = x + F.interpolate(torch.rand(n, 1, side // 2, side // 2) - 0.5, size=side, mode="bilinear") * _rand(n, 0, 0.16)
    small = F.interpolate(F.avg_pool2d(x, 2), size=side, mode="bilinear", align_corners=False)
    x = x + (small - x) * (_rand(n, -0.6, 1.6).clamp(-0.5, 1))  # sharpening to blur
    x = jpeg_like(x, _rand(n, -0.5, 1).clamp(min=0))
    x = x + (torch.rand_like(x) - 0.5) * _rand(n, 0, 0.16)
    return x.clamp(0, 1), cover[:, 0]
