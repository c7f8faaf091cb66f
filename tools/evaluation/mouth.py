"""The mouth's opening seen in frames, as the channels that `measures` compares with the targets."""

import numpy as np

from ..speech import SPOKEN
from ..speech.visemes import JAW, PRESS
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
    """Landmarks `[n,468,2]` to channels `[n,6]`: jaw is the opening, press falls from 1 where lips are no farther apart than `shut` to 0.

    A picture does not show how hard lips are pressed. Other channels are zero: width and rounding of lips are not judged here.
    """
    gap = landmarks.mouth_gap(points)
    channels = np.zeros((len(gap), len(SPOKEN)))
    channels[:, JAW] = gap
    channels[:, PRESS] = np.clip(1 - (gap - shut) / APART, 0.0, 1.0)
    return channels


def visible(targets):
    """Targets `[n,6]` as a picture can show them: lips that rest on each other (half of the press of a p) are as shut as pressed ones."""
    seen = targets.copy()
    seen[:, PRESS] = np.minimum(1.0, 2.0 * seen[:, PRESS])
    return seen
