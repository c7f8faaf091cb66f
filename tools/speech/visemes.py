"""Mouth curves from phoneme times: dominance blending (Cohen and Massaro 1993).

Each sound pulls every channel to a target with a weight that falls off around its segment; the curve is the weighted
mean. Rounding is prepared earlier than opening. A stop of the lips (p, b, m) cannot be blended away: a trapezoid over
its closure sets `press` and shuts the jaw by 85 %.
"""

import numpy as np

from . import FRAME_RATE, SPOKEN
from .phones import SILENCE

# targets: jaw, wide, pucker, press, upper_raise, lower_drop · weights: jaw, wide, pucker
VISEMES = {
    "AA": ((1.00, 0.10, 0.00, 0.00, 0.30, 0.35), (1.0, 0.5, 0.6)),
    "AE": ((0.85, 0.50, 0.00, 0.00, 0.40, 0.50), (1.0, 0.8, 0.6)),
    "AH": ((0.55, 0.10, 0.00, 0.00, 0.15, 0.25), (0.7, 0.3, 0.3)),
    "AO": ((0.75, 0.00, 0.50, 0.00, 0.20, 0.20), (1.0, 0.6, 0.9)),
    "EH": ((0.60, 0.45, 0.00, 0.00, 0.25, 0.40), (0.9, 0.7, 0.5)),
    "ER": ((0.35, 0.00, 0.35, 0.00, 0.10, 0.20), (0.7, 0.4, 0.6)),
    "IH": ((0.35, 0.45, 0.00, 0.00, 0.15, 0.35), (0.7, 0.6, 0.5)),
    "IY": ((0.25, 0.85, 0.00, 0.00, 0.20, 0.45), (0.8, 1.0, 0.7)),
    "UH": ((0.35, 0.00, 0.55, 0.00, 0.05, 0.15), (0.7, 0.5, 0.8)),
    "UW": ((0.25, 0.00, 0.90, 0.00, 0.00, 0.10), (0.8, 0.8, 1.0)),
    "AX": ((0.35, 0.10, 0.00, 0.00, 0.10, 0.20), (0.4, 0.2, 0.2)),
    "OH": ((0.60, 0.00, 0.60, 0.00, 0.10, 0.15), (0.9, 0.6, 0.9)),
    "B": ((0.06, 0.05, 0.00, 1.00, 0.00, 0.00), (1.0, 0.3, 0.25)),
    "F": ((0.15, 0.10, 0.00, 0.35, 0.60, 0.00), (1.0, 0.3, 0.3)),
    "TH": ((0.28, 0.15, 0.00, 0.00, 0.15, 0.30), (0.7, 0.2, 0.2)),
    "T": ((0.18, 0.20, 0.00, 0.00, 0.10, 0.25), (0.6, 0.2, 0.12)),
    "S": ((0.10, 0.35, 0.00, 0.00, 0.15, 0.45), (0.9, 0.4, 0.2)),
    "SH": ((0.15, 0.00, 0.55, 0.00, 0.30, 0.45), (0.9, 0.5, 0.7)),
    "K": ((0.30, 0.10, 0.00, 0.00, 0.10, 0.20), (0.35, 0.15, 0.1)),
    "L": ((0.30, 0.15, 0.00, 0.00, 0.10, 0.25), (0.5, 0.2, 0.15)),
    "R": ((0.25, 0.00, 0.45, 0.00, 0.05, 0.20), (0.6, 0.4, 0.6)),
    "W": ((0.15, 0.00, 0.95, 0.10, 0.00, 0.05), (0.9, 0.8, 1.0)),
    "Y": ((0.22, 0.50, 0.00, 0.00, 0.10, 0.35), (0.6, 0.6, 0.4)),
    "HH": ((0.35, 0.10, 0.00, 0.00, 0.10, 0.20), (0.1, 0.05, 0.05)),
    # At rest the lips touch: half of the press of a p.
    SILENCE: ((0.00, 0.00, 0.00, 0.50, 0.00, 0.00), (1.0, 0.8, 0.8)),
}
SOUNDS = tuple(VISEMES)
_OTHER_WEIGHTS = (0.8, 0.5, 0.5)  # press, upper_raise, lower_drop

# Seconds in which a sound's pull falls to 1/e before its core (anticipation) and after it (carry-over).
_BEFORE = np.array([0.06, 0.08, 0.11, 0.05, 0.06, 0.06])
_AFTER = np.array([0.055, 0.07, 0.07, 0.05, 0.06, 0.06])
_STEPS = 8  # curve samples a video frame: 200 Hz

JAW, PRESS, UPPER, LOWER = (SPOKEN.index(name) for name in ("jaw", "press", "upper_raise", "lower_drop"))


def _filled(segments, seconds):
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
    """Segments (gaps are silence) to `(targets [frames, 6] float32, sound [frames] int index into SOUNDS)`.

    A frame's target is the mean over its 40 ms; its `press` is half mean, half maximum, so that a short stop that
    falls between two frames still shows.
    """
    frames = int(seconds * FRAME_RATE + 1e-6)
    time = (np.arange(frames * _STEPS) + 0.5) / (FRAME_RATE * _STEPS)
    pull = np.zeros((len(time), len(SPOKEN)))
    total = np.full_like(pull, 1e-6)
    stop = np.zeros(len(time))
    sound_at = np.full(len(time), SOUNDS.index(SILENCE))
    for start, end, sound in _filled(segments, seconds):
        # Beyond 0.7 s every pull is under 1e-12 of another sound's.
        near = slice(*np.searchsorted(time, (start - 0.7, end + 0.7)))
        t = time[near]
        target, weights = VISEMES[sound]
        silent = sound == SILENCE
        core = min(0.3 * (end - start), 0.06 if silent else 0.05)
        before = t < start + core
        distance = np.maximum(np.maximum(start + core - t, t - (end - core)), 0.0)
        reach = np.where(before[:, None], _BEFORE, _AFTER) * (0.8 if silent else 1.0)
        dominance = np.array(weights + _OTHER_WEIGHTS) * np.exp(-((distance[:, None] / reach) ** 2))
        pull[near] += dominance * target
        total[near] += dominance
        sound_at[near][(t >= start) & (t < end)] = SOUNDS.index(sound)
        if sound == "B":
            half = np.clip((end - start) / 2, 0.02, 0.06)
            edge = np.abs(t - (start + end) / 2) - half
            stop[near] = np.maximum(stop[near], np.clip(1.0 - edge / 0.04, 0.0, 1.0))
    curve = pull / total
    curve[:, PRESS] = np.maximum(curve[:, PRESS], stop)
    curve[:, JAW] *= 1.0 - 0.85 * stop
    curve[:, UPPER] *= 1.0 - 0.8 * stop
    curve[:, LOWER] *= 1.0 - 0.9 * stop
    steps = curve.reshape(frames, _STEPS, len(SPOKEN))
    targets = steps.mean(axis=1)
    targets[:, PRESS] = 0.5 * targets[:, PRESS] + 0.5 * steps[:, :, PRESS].max(axis=1)
    return targets.astype(np.float32), sound_at.reshape(frames, _STEPS)[:, _STEPS // 2]
