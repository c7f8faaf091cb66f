"""In-painting of the mouth: features of two passes mixed by a mask (Kim et al. 2024). The three RGB channels are left alone."""

import torch
import torch.nn.functional as F

FULL = 512


def blend(features, inpainted, mask, side: int = FULL):
    """Features with RGB last [1,C,R,R] and those of the in-painted pass, mask [1,1,m,m] (1: keep) -> features [1,C,R,R].

    As published, both are enlarged to `side`, mixed there and made small again, all bicubic without a filter.
    """
    resize = lambda x, size: x if x.shape[-1] == size else F.interpolate(x, size=(size, size), mode="bicubic")
    mask = resize(mask, side)
    mixed = mask * resize(features[:, :-3], side) + (1 - mask) * resize(inpainted[:, :-3], side)
    return torch.cat([resize(mixed, features.shape[-1]), features[:, -3:]], 1)
