"""A seen face in the frame of its own head: what nodes/src/types/track/face.rs computes, over whole clips.

`seen` are the tensors that `align` gives for driving frames: `landmarks [n,M,2]`, `near [n,M]`, `eyes [n,2,21,2]`.
"""

import numpy as np

from . import canonical

# Points that no expression moves much, and the corners of the person's right and left eye, in the order of the picture.
STABLE = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 33, 133, 263, 362, 127, 356, 234, 454, 109, 338, 67, 297, 54, 284, 21, 251, 162, 389]  # fmt: skip
CORNERS = ((33, 133), (362, 263))
BEFORE = ((159, 145), (386, 374))  # middles of the lids, before the irises
LIDS = 16  # points of an eye that are its lids; the others are the iris
LOWER, UPPER = slice(1, 8), slice(9, 16)


def mean():
    """The mean face `[M,3]`: the canonical face mesh about its stable points, in distances of the eyes."""
    points = canonical.load()[0].astype(np.float64)
    points -= points[STABLE].mean(0)
    left, right = points[[33, 133]].mean(0), points[[263, 362]].mean(0)
    return points / np.linalg.norm(right - left)


def mirror():
    """For every point of the face mesh the one on the other side `[M]`."""
    points = mean()
    apart = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=-1)
    return apart.argmin(1)


def cloud(seen):
    """Points `[n,M,3]`: x to the right, y up, z to the viewer, in sides of the crop."""
    flat = seen["landmarks"].astype(np.float64)
    return np.stack([flat[..., 0] - 0.5, 0.5 - flat[..., 1], seen["near"].astype(np.float64)], -1)


def unpose(seen, onto=None):
    """Points on the mean face `[n,M,3]`, their place `[n,3]` and their rotation `[n,3]`: pitch, yaw, roll of R = Ry·Rx·Rz."""
    points, (turn, scale, middle, target) = cloud(seen), _similarity(seen, onto)
    r = turn.transpose(0, 2, 1)
    rotation = np.stack([np.arcsin(np.clip(-r[:, 1, 2], -1, 1)), np.arctan2(r[:, 0, 2], r[:, 2, 2]), np.arctan2(r[:, 1, 0], r[:, 1, 1])], 1)
    return scale * np.einsum("nij,nkj->nki", turn, points - middle) + target, middle[:, 0], rotation


def irises(seen):
    """Middles of the irises on the mean face `[n,2,2]`: x to the right, y up from the corners of their eyes, which keep still when a mouth opens
    or brows rise, as the similarity does not. They lie as far before the head as the middles of their lids."""
    turn, scale, middle, target = _similarity(seen)
    near = seen["near"].astype(np.float64)[:, BEFORE].mean(-1)
    at = seen["eyes"].astype(np.float64)[:, :, LIDS:].mean(2)
    at = np.stack([at[..., 0] - 0.5, 0.5 - at[..., 1], near], -1)
    onto = lambda points: (scale * np.einsum("nij,nkj->nki", turn, points - middle) + target)[..., :2]
    corners = onto(cloud(seen)[:, np.ravel(CORNERS)]).reshape(-1, 2, 2, 2).mean(2)
    return onto(at) - corners * [0, 1]


def _similarity(seen, onto=None):
    """What brings the stable points onto those of the mean face: turns `[n,3,3]`, scales, and the middles that go onto each other."""
    onto = mean() if onto is None else onto
    points = cloud(seen)
    middle, target = points[:, STABLE].mean(1, keepdims=True), onto[STABLE].mean(0)
    a, b = points[:, STABLE] - middle, onto[STABLE] - target
    u, s, vt = np.linalg.svd(np.einsum("ki,nkj->nij", b, a))
    sign = np.ones((len(points), 3))
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    turn = u * sign[:, None] @ vt
    scale = (s * sign).sum(1) / (a**2).sum((1, 2))
    return turn, scale[:, None, None], middle, target


def eyes(seen):
    """Lids and irises `[n,2,21,2]`, each eye from the middle of its corners, x along them, y down, in their distance."""
    flat, points = seen["landmarks"].astype(np.float64), seen["eyes"].astype(np.float64)
    own = np.empty_like(points)
    for eye, (a, b) in enumerate(CORNERS):
        a, b = flat[:, None, a], flat[:, None, b]
        x, y = b - a, (b - a)[..., ::-1] * [-1, 1]
        off = points[:, eye] - (a + b) / 2
        own[:, eye] = np.stack([(off * x).sum(-1), (off * y).sum(-1)], -1) / (x**2).sum(-1)[..., None]
    return own


# A gaze of 1 moves irises as far as this as they are seen in rendered photos, to the right and up, in distances of the eyes.
GAZE = (0.061, 0.0088)
# An eye that is open by less than the first part of its neutral's opening tells no gaze, from the second on it tells all.
SHUT, OPEN = 0.4, 0.8


def gaze(irises, neutral_irises, eyes, neutral_eyes):
    """Where eyes look beside the neutral's `[n,2]`, to the right and up: the mean of both, shut ones left out.

    `irises [n,2,2]` lie in the head's frame, for corners and lids of an eye are seen to go aside with its iris, by half.
    """
    opening = lids_apart(eyes) / np.maximum(lids_apart(neutral_eyes[None]), 1e-3)
    open_ = np.clip((opening - SHUT) / (OPEN - SHUT), 0, 1)
    return (open_[..., None] * (irises - neutral_irises)).sum(1) / np.maximum(open_.sum(1), 1)[:, None] / GAZE


def lids_apart(eyes):
    """Opening of the lids `[n,2]` in distances of the corners."""
    return (eyes[:, :, LOWER, 1] - eyes[:, :, UPPER, 1]).mean(-1)
