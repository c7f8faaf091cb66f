"""Channels of speech as face units, and what is seen of the lips at them."""

import numpy as np

from . import CHANNEL, CHANNELS, EXPRESSION, UNIT

JAW, CLOSURE, TONGUE = (CHANNEL[name] for name in ("jawOpen", "closure", "tongueOut"))
# By channel, the units that it moves.
_PLACE = np.zeros((len(CHANNELS), len(EXPRESSION)))
for _i, _units in enumerate(CHANNELS.values()):
    _PLACE[_i, [UNIT[unit] for unit in _units]] = 1

# Centimetres by which a channel at 1 parts the inner lips of the mean head of `tools.heads`, in the place of the closure `mouthClose`: least squares
# over curves of speech, 0.03 off in the root mean square.
APERTURE = {
    "jawOpen": 3.54, "closure": -4.63, "mouthFunnel": 1.29, "mouthPucker": -0.29, "mouthStretch": 0.04, "mouthDimple": 0.08, "mouthRollLower": -0.11,
    "mouthRollUpper": -0.30, "mouthShrugLower": -0.52, "mouthShrugUpper": 0.35, "mouthPress": -0.01, "mouthLowerDown": 0.38, "mouthUpperUp": 0.35, "tongueOut": 0.21,
}  # fmt: skip
# The same of how much wider the mouth is than at rest, from corner to corner.
WIDTH = {"jawOpen": -0.39, "closure": 0.43, "mouthFunnel": -0.50, "mouthPucker": -0.95, "mouthStretch": 1.14, "mouthDimple": 1.12, "mouthPress": 1.38}
APART = 0.2  # of the inner lips, centimetres, from which nothing is shut; lips count as shut in the nearer half, less than a pixel of a face of 256


def row(values):
    """Numbers by channel, 0 where none is named: [C]."""
    return np.array([values.get(name, 0.0) for name in CHANNELS])


def moved(channels):
    """Channels `[n, C]` with `mouthClose` in place of the closure, and no tongue out between shut lips."""
    out = np.array(channels, dtype=float)
    closure = out[:, CLOSURE].copy()
    out[:, CLOSURE] *= out[:, JAW]
    out[:, TONGUE] *= 1 - closure
    return out


def units(channels):
    """Channels `[n, C]` as face units `[n, 52]`."""
    return moved(channels) @ _PLACE


def channels(expression):
    """What channels `[n, C]` face units `[n, 52]` are: the mean of both sides. Where the jaw is shut the lips are."""
    found = np.asarray(expression, dtype=float) @ (_PLACE / _PLACE.sum(1, keepdims=True)).T
    shut = found[:, JAW] < 1e-3
    found[:, CLOSURE] = np.where(shut, 1.0, np.clip(found[:, CLOSURE] / np.where(shut, 1.0, found[:, JAW]), 0, 1))
    found[:, TONGUE] = np.clip(found[:, TONGUE] / np.maximum(1 - found[:, CLOSURE], 1e-3), 0, 1)
    return found


def closure(aperture):
    """From 1 for lips that touch to 0 for those `APART` centimetres apart."""
    return np.clip(1 - np.asarray(aperture) / APART, 0, 1)


def seen(channels):
    """Curves `[n]` by name of channels `[n, C]`: `jaw`; `aperture` of the inner lips and `width` of the mouth in centimetres; `rounding`; `closure`; `lip_at_teeth`."""
    at = moved(channels)
    aperture = np.maximum(at @ row(APERTURE), 0)
    return {
        "jaw": at[:, JAW],
        "aperture": aperture,
        "closure": closure(aperture),
        "width": at @ row(WIDTH),
        "rounding": at[:, CHANNEL["mouthFunnel"]] + at[:, CHANNEL["mouthPucker"]],
        "lip_at_teeth": at[:, CHANNEL["mouthRollLower"]],
    }
