"""Losses of the inversion. Images are in [0,1], masks in [0,1]."""

import torch
import torch.nn.functional as F

SCALES = 3


def unit(image):
    """[-1,1] to [0,1]."""
    return image * 0.5 + 0.5


def _slopes(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def picture_loss(image, target, weight=None, mask=None):
    """L1 of values and of gradients at three scales: weighted by `weight` of mean 1, or the mean over a mask of 0 and 1."""
    total = 0.0
    for _ in range(SCALES):
        off = image - target
        across, down = _slopes(off)
        if mask is not None:
            parts = (off.abs() * mask).mean() + (across.abs() * mask[..., 1:] * mask[..., :-1]).mean()
            parts = parts + (down.abs() * mask[..., 1:, :] * mask[..., :-1, :]).mean()
            total = total + parts / (mask.mean() + 0.02)
            mask = (F.avg_pool2d(mask, 2) > 0.99).to(mask.dtype)
        elif weight is not None:
            total = total + (off.abs() * weight).mean() + (across.abs() * weight[..., 1:]).mean() + (down.abs() * weight[..., 1:, :]).mean()
            weight = F.avg_pool2d(weight, 2)
        else:
            total = total + off.abs().mean() + across.abs().mean() + down.abs().mean()
        image, target = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
    return total


def variation(x):
    """Total variation: mean absolute slope."""
    across, down = _slopes(x)
    return across.abs().mean() + down.abs().mean()


def cover_loss(alpha, person):
    """Cross entropy of alpha against the person's mask: unlike L1 it pulls hard where the volume is still empty."""
    empty = 0.01
    return -(person * torch.log(alpha + empty) + (1 - person) * torch.log(1 - alpha.clamp(max=1) + empty)).mean()


def decide(person):
    """A person's mask with its doubts resolved: what lies between 0.35 and 0.65 stays in between, for hair's rim is soft."""
    return ((person - 0.35) / 0.3).clamp(0, 1)


def grow(mask, pixels):
    """A mask dilated by `pixels`."""
    return F.max_pool2d(mask, 2 * pixels + 1, 1, pixels)


def shrink(mask, pixels):
    return 1 - grow(1 - mask, pixels)


def fill(image, known):
    """`image [1,3,P,P]` with the unknown pixels (known `[1,1,P,P]` near 0) filled from known ones around, coarse to fine."""
    side = image.shape[-1]
    if side == 1:
        return image * known / known.clamp(min=1e-3)
    values, share = F.avg_pool2d(image * known, 2), F.avg_pool2d(known, 2)
    coarse = fill(values / share.clamp(min=1e-3), (share * 4).clamp(max=1))
    coarse = F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False)
    return image * known + coarse * (1 - known)
