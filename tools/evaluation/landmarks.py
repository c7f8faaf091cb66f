"""What the 468 points of the face mesh say of a frame. Landmarks are `[n,468,2]`, in any units."""

import numpy as np

# Outer and inner corners of the eyes, and the inner lips' middles: upper and lower, centre and either side.
EYES = ((33, 133), (263, 362))
UPPER, LOWER = (13, 81, 311), (14, 178, 402)
# Points that neither speech nor blinks move: bridge and tip of the nose, eye corners, temples.
STILL = (6, 197, 195, 5, 4, 33, 133, 263, 362, 127, 356)


def eye_distance(points):
    """Distance of the eyes' middles `[n]`."""
    left, right = (points[:, pair].mean(1) for pair in EYES)
    return np.linalg.norm(right - left, axis=-1)


def mouth_gap(points):
    """Opening of the inner lips `[n]` as a share of the eye distance: mean of three pairs of points."""
    gap = np.linalg.norm(points[:, LOWER] - points[:, UPPER], axis=-1).mean(1)
    return gap / eye_distance(points)


def jitter(points, still=STILL):
    """Root mean square of the second differences of points that should be still, in thousandths of the eye distance.

    The second difference leaves slow motion out; for noise that is independent from frame to frame it is √6 times
    the noise, by which it is divided.
    """
    moved = np.diff(points[:, still], n=2, axis=0) / eye_distance(points).mean()
    return float(1000 * np.sqrt((moved**2).sum(-1).mean() / 6)) if len(moved) else float("nan")
