"""Faults of a rendered head's alpha `[R,R]` in [0,1]."""

import numpy as np
from scipy import ndimage

SOLID = 0.5


def _largest(solid):
    """The largest connected part of a mask."""
    parts, count = ndimage.label(solid)
    if not count:
        return solid
    return parts == 1 + np.argmax(ndimage.sum_labels(solid, parts, range(1, count + 1)))


def holes(alpha):
    """Share of the head, its holes filled, that one sees through."""
    head = _largest(alpha > SOLID)
    filled = ndimage.binary_fill_holes(head)
    return float((filled & ~head).sum() / max(1, filled.sum()))


def specks(alpha):
    """Share of what is solid that does not hang together with the head."""
    solid = alpha > SOLID
    return float((solid & ~_largest(solid)).sum() / max(1, solid.sum()))


def ghosts(alpha):
    """Share of the head's inside, three pixels and more from its rim, that is less than nine tenths solid."""
    inside = ndimage.binary_erosion(ndimage.binary_fill_holes(_largest(alpha > SOLID)), iterations=3)
    return float((alpha[inside] < 0.9).mean()) if inside.any() else 0.0


def overlap(a, b):
    """Intersection over union of two alphas."""
    a, b = a > SOLID, b > SOLID
    return float((a & b).sum() / max(1, (a | b).sum()))
