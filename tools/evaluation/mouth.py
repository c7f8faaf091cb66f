"""The mouth's opening seen in frames, as the channels that `measures` compares with the targets."""

import numpy as np

from ..speech import SPOKEN
from ..speech.visemes import JAW, PRESS
from . import landmarks

# Opening of the inner lips in eye distances: the face mesh keeps them about TOUCHING apart on shut mouths, and APART is a line of
# darkness that anyone sees, three pixels of a face of 256. Lips count as shut in the nearer half.
TOUCHING, APART = 0.02, 0.05


def curves(points):
    """Landmarks `[n,468,2]` to channels `[n,6]`: jaw is the opening, press falls from 1 where lips touch to 0 where they are apart.

    A picture does not show how hard lips are pressed. Other channels are zero: width and rounding of lips are not judged here.
    """
    gap = landmarks.mouth_gap(points)
    channels = np.zeros((len(gap), len(SPOKEN)))
    channels[:, JAW] = gap
    channels[:, PRESS] = np.clip((APART - gap) / (APART - TOUCHING), 0.0, 1.0)
    return channels
