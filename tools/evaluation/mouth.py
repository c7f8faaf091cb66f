"""The mouth's opening seen in frames, as the channels that `measures` compares with the targets."""

import numpy as np

from ..speech import SPOKEN
from ..speech.visemes import JAW, PRESS
from . import landmarks

# Opening of the inner lips, in eye distances, under which lips count as touching in a picture. The face mesh keeps its inner lips
# about 0.01 apart on closed mouths.
SHUT_GAP = 0.035


def curves(points):
    """Landmarks `[n,468,2]` to channels `[n,6]`: jaw is the opening, press how shut it is: 0.5 where lips just touch.

    Other channels are zero: width and rounding of lips are not judged here.
    """
    gap = landmarks.mouth_gap(points)
    channels = np.zeros((len(gap), len(SPOKEN)))
    channels[:, JAW] = gap
    channels[:, PRESS] = np.exp2(-gap / SHUT_GAP)
    return channels
