"""The mouth's opening seen in frames, as the curves that `measures` compares with the targets."""

import numpy as np

from . import landmarks

# Opening of the inner lips in eye distances, beyond that of shut lips, at which anyone sees a line of darkness: two pixels of a face of
# 256. Lips count as shut in the nearer half.
APART = 0.03
# The face mesh keeps shut lips 0.01 to 0.04 apart, by face. A portrait whose lips are farther apart is not one of a shut mouth.
TOUCHING = 0.04


def rest(points):
    """The opening that the face mesh sees on this face's shut lips, from the landmarks `[1,468,2]` of the portrait."""
    return min(float(landmarks.mouth_gap(points)[0]), TOUCHING)


def curves(points, shut):
    """Landmarks `[n,468,2]` to curves `[n]` by name: `aperture`, the opening in eye distances, and `closure`, which falls from 1 where lips are no farther
    apart than `shut` to 0. Width and rounding of lips are not judged here."""
    gap = landmarks.mouth_gap(points)
    return {"aperture": gap, "closure": np.clip(1 - (gap - shut) / APART, 0.0, 1.0)}
