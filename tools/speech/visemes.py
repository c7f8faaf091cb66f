"""Mouth curves from phoneme times: dominance blending (Cohen and Massaro 1993).

Each sound pulls every channel to a target with a weight that falls off around its segment; the curve is the weighted
mean. Rounding is prepared earlier than opening. What a sound cannot do without (the shut lips of p, b and m, the lower lip of f and v at the
upper teeth) is not blended away: a trapezoid over its segment holds it.
"""

import numpy as np

from . import CHANNELS, FRAME_RATE
from .lips import row
from .phones import SILENCE

# What the lips do, by channel (0 where none is named) · weights of jaw, spreading and rounding.
VISEMES = {
    "AA": ({"jawOpen": 0.42, "mouthLowerDown": 0.15, "mouthUpperUp": 0.08}, (1.0, 0.5, 0.6)),
    "AE": ({"jawOpen": 0.36, "mouthStretch": 0.25, "mouthDimple": 0.10, "mouthLowerDown": 0.25, "mouthUpperUp": 0.25}, (1.0, 0.8, 0.6)),
    "AH": ({"jawOpen": 0.27, "mouthLowerDown": 0.12, "mouthUpperUp": 0.06}, (0.7, 0.3, 0.3)),
    "AO": ({"jawOpen": 0.32, "mouthFunnel": 0.30, "mouthPucker": 0.22}, (1.0, 0.6, 0.9)),
    "EH": ({"jawOpen": 0.26, "mouthStretch": 0.25, "mouthDimple": 0.10, "mouthLowerDown": 0.22, "mouthUpperUp": 0.20}, (0.9, 0.7, 0.5)),
    "ER": ({"jawOpen": 0.14, "mouthFunnel": 0.25, "mouthPucker": 0.15, "mouthLowerDown": 0.10}, (0.7, 0.4, 0.6)),
    "IH": ({"jawOpen": 0.16, "mouthStretch": 0.25, "mouthDimple": 0.10, "mouthLowerDown": 0.22, "mouthUpperUp": 0.18}, (0.7, 0.6, 0.5)),
    "IY": ({"jawOpen": 0.08, "mouthStretch": 0.45, "mouthDimple": 0.30, "mouthLowerDown": 0.25, "mouthUpperUp": 0.28}, (0.8, 1.0, 0.7)),
    "UH": ({"jawOpen": 0.16, "mouthFunnel": 0.25, "mouthPucker": 0.35}, (0.7, 0.5, 0.8)),
    "UW": ({"jawOpen": 0.10, "mouthFunnel": 0.25, "mouthPucker": 0.70, "mouthShrugLower": 0.10}, (0.8, 0.8, 1.0)),
    "AX": ({"jawOpen": 0.16, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05}, (0.4, 0.2, 0.2)),
    "OH": ({"jawOpen": 0.26, "mouthFunnel": 0.38, "mouthPucker": 0.35}, (0.9, 0.6, 0.9)),
    "B": ({"jawOpen": 0.10, "closure": 1.0, "mouthRollLower": 0.25, "mouthRollUpper": 0.25, "mouthPress": 0.15}, (1.0, 0.3, 0.25)),
    "F": ({"jawOpen": 0.13, "mouthRollLower": 1.00, "mouthUpperUp": 0.28}, (1.0, 0.3, 0.3)),
    "TH": ({"jawOpen": 0.16, "tongueOut": 0.60, "mouthLowerDown": 0.06, "mouthUpperUp": 0.06}, (0.7, 0.2, 0.2)),
    "T": ({"jawOpen": 0.08, "mouthStretch": 0.08, "mouthLowerDown": 0.20, "mouthUpperUp": 0.14}, (0.6, 0.2, 0.12)),
    "S": ({"jawOpen": 0.04, "mouthStretch": 0.22, "mouthDimple": 0.05, "mouthLowerDown": 0.32, "mouthUpperUp": 0.25}, (0.9, 0.4, 0.2)),
    "SH": ({"jawOpen": 0.05, "mouthFunnel": 0.45, "mouthPucker": 0.35, "mouthShrugUpper": 0.10, "mouthLowerDown": 0.15}, (0.9, 0.5, 0.7)),
    "K": ({"jawOpen": 0.14, "mouthStretch": 0.05, "mouthLowerDown": 0.15, "mouthUpperUp": 0.06}, (0.35, 0.15, 0.1)),
    "L": ({"jawOpen": 0.16, "mouthStretch": 0.06, "mouthLowerDown": 0.20, "mouthUpperUp": 0.12}, (0.5, 0.2, 0.15)),
    "R": ({"jawOpen": 0.10, "mouthFunnel": 0.32, "mouthPucker": 0.20}, (0.6, 0.4, 0.6)),
    "W": ({"jawOpen": 0.08, "mouthFunnel": 0.18, "mouthPucker": 0.85, "mouthShrugLower": 0.10}, (0.9, 0.8, 1.0)),
    "Y": ({"jawOpen": 0.08, "mouthStretch": 0.30, "mouthDimple": 0.15, "mouthLowerDown": 0.25, "mouthUpperUp": 0.16}, (0.6, 0.6, 0.4)),
    "HH": ({"jawOpen": 0.16, "mouthLowerDown": 0.10, "mouthUpperUp": 0.05}, (0.1, 0.05, 0.05)),
    # At rest the lips touch, without pressing.
    SILENCE: ({"closure": 1.0}, (1.0, 0.8, 0.8)),
}  # fmt: skip
SOUNDS = tuple(VISEMES)
# Of how much of a channel its target is sure, whatever the neighbours want, in the middle of a sound that cannot be blended away.
HOLDS = {
    "F": {"closure": 1.0, "jawOpen": 0.85, "mouthRollLower": 1.0, "mouthRollUpper": 1.0, "mouthLowerDown": 1.0, "mouthUpperUp": 0.8, "mouthFunnel": 0.8, "mouthPucker": 0.5, "tongueOut": 1.0},
    "B": {"closure": 1.0, "jawOpen": 0.85, "mouthFunnel": 0.95, "mouthLowerDown": 0.95, "mouthUpperUp": 0.95, "mouthShrugUpper": 1.0, "tongueOut": 1.0, "mouthRollLower": 0.7, "mouthRollUpper": 0.7, "mouthPress": 0.7},
}  # fmt: skip

_SPREADING, _ROUNDING = ("mouthStretch", "mouthDimple"), ("mouthFunnel", "mouthPucker")
_OTHER_WEIGHTS = {"closure": 0.8, "mouthRollLower": 0.8, "mouthPress": 0.8, "tongueOut": 1.2}  # others 0.5
# Seconds in which a sound's pull falls to 1/e before its core (anticipation) and after it (carry-over); of other channels 0.06.
_REACH = {"jawOpen": (0.06, 0.055), "closure": (0.05, 0.05), "mouthRollLower": (0.05, 0.05), "mouthPress": (0.05, 0.05), "tongueOut": (0.05, 0.045)}
_REACH |= {name: (0.08, 0.07) for name in _SPREADING} | {name: (0.11, 0.07) for name in _ROUNDING}
_STEPS = 8  # curve samples a video frame: 200 Hz


def _weights(jaw, spreading, rounding):
    groups = {"jawOpen": jaw} | dict.fromkeys(_SPREADING, spreading) | dict.fromkeys(_ROUNDING, rounding)
    return row(dict.fromkeys(CHANNELS, 0.5) | _OTHER_WEIGHTS | groups)


_BEFORE, _AFTER = (row({name: _REACH.get(name, (0.06, 0.06))[i] for name in CHANNELS}) for i in (0, 1))
_TARGETS = {sound: row(lips) for sound, (lips, _) in VISEMES.items()}
_WEIGHTS = {sound: _weights(*weights) for sound, (_, weights) in VISEMES.items()}
_SURE = {sound: row(hold) for sound, hold in HOLDS.items()}


def target(sound):
    """The channels `[C]` of a sound on its own."""
    return _TARGETS[sound].copy()


def filled(segments, seconds):
    """The segments with silence before, between and after them, from 20 ms on."""
    filled, now = [], 0.0
    for start, end, sound in [*sorted(segments), (seconds, seconds, None)]:
        if start - now > 0.02:
            filled.append((now, start, SILENCE))
        if sound is not None:
            filled.append((start, end, sound))
        now = max(now, end)
    return filled


def curves(segments, seconds):
    """Segments (gaps are silence) to `(channels [frames, C] float32, sound [frames] int index into SOUNDS)`.

    A frame's target is the mean over its 40 ms; how far a sound is held is half mean, half maximum, so that a short stop that falls between two
    frames still shows.
    """
    frames = int(seconds * FRAME_RATE + 1e-6)
    time = (np.arange(frames * _STEPS) + 0.5) / (FRAME_RATE * _STEPS)
    pull = np.zeros((len(time), len(CHANNELS)))
    total = np.full_like(pull, 1e-6)
    held = {sound: np.zeros(len(time)) for sound in HOLDS}
    sound_at = np.full(len(time), SOUNDS.index(SILENCE))
    for start, end, sound in filled(segments, seconds):
        # Beyond 0.7 s every pull is under 1e-12 of another sound's.
        near = slice(*np.searchsorted(time, (start - 0.7, end + 0.7)))
        t = time[near]
        silent = sound == SILENCE
        core = min(0.3 * (end - start), 0.06 if silent else 0.05)
        before = t < start + core
        distance = np.maximum(np.maximum(start + core - t, t - (end - core)), 0.0)
        reach = np.where(before[:, None], _BEFORE, _AFTER) * (0.8 if silent else 1.0)
        dominance = _WEIGHTS[sound] * np.exp(-((distance[:, None] / reach) ** 2))
        pull[near] += dominance * _TARGETS[sound]
        total[near] += dominance
        sound_at[near][(t >= start) & (t < end)] = SOUNDS.index(sound)
        if sound in HOLDS:
            half = np.clip((end - start) / 2, 0.02, 0.06)
            edge = np.abs(t - (start + end) / 2) - half
            held[sound][near] = np.maximum(held[sound][near], np.clip(1.0 - edge / 0.04, 0.0, 1.0))
    by_frame = lambda curve: curve.reshape(frames, _STEPS, *curve.shape[1:])
    channels = by_frame(pull / total).mean(axis=1)
    for sound, share in held.items():
        share = by_frame(share)
        share = (0.5 * share.mean(axis=1) + 0.5 * share.max(axis=1))[:, None] * _SURE[sound]
        channels += share * (_TARGETS[sound] - channels)
    return channels.astype(np.float32), by_frame(sound_at)[:, _STEPS // 2]
