"""Curves of expression and pose that a head is moved by while the face mesh looks at it."""

import numpy as np

from ..pack.params import EXPRESSION

LEAD = 10  # frames at the beginning in which the face does nothing
FRAMES = 150
_LIDS = [EXPRESSION.index(name) for name in ("blink_left", "blink_right")]
_GAZE = [EXPRESSION.index(name) for name in ("gaze_x", "gaze_y")]
_SIGNED = [EXPRESSION.index(name) for name in ("wide", "pucker", "brow", "smile", "upper_raise", "lower_drop")]
_AT = {name: EXPRESSION.index(name) for name in EXPRESSION}


def _wander(rng, n, step, low, high):
    """A random walk back to zero (an autoregressive process), clipped."""
    x, value = np.empty(n), rng.standard_normal()
    for i in range(n):
        value = 0.95 * value + np.sqrt(1 - 0.95**2) * rng.standard_normal()
        x[i] = value
    return np.clip(x * step, low, high)


def _amount(rng, channel):
    if channel in _GAZE:
        return rng.uniform(-0.8, 0.8)
    if channel in _SIGNED and rng.random() < 0.3:
        return rng.uniform(-0.8, 0.0)
    return rng.uniform(0, 1)


def _target(rng):
    """An expression that is made for a few frames: one channel alone, two or three, one of speech, or anything."""
    x, kind = np.zeros(len(EXPRESSION)), rng.random()
    if kind < 0.35:
        channel = rng.integers(len(x))
        x[channel] = _amount(rng, channel)
    elif kind < 0.6:
        for channel in rng.choice(len(x), rng.integers(2, 4), replace=False):
            x[channel] = _amount(rng, channel)
    elif kind < 0.85:
        x[_AT["jaw"]] = rng.uniform(0, 0.8)
        if rng.random() < 0.5:
            x[_AT["wide" if rng.random() < 0.5 else "pucker"]] = rng.uniform(0, 0.8)
        if rng.random() < 0.3:
            x[_AT["upper_raise"]], x[_AT["lower_drop"]] = rng.uniform(0, 0.5, 2)
        if rng.random() < 0.2:
            x[:] = 0
            x[_AT["press"]] = rng.uniform(0.3, 1)
        x[_AT["smile"]] = rng.uniform(0, 0.5) * (rng.random() < 0.4)
    else:
        for channel in range(len(x)):
            x[channel] = _amount(rng, channel) * rng.random()
    if x[_AT["jaw"]] > 0.25:
        x[_AT["press"]] = 0  # pressed lips are shut
    if kind > 0.1 and rng.random() < 0.75:
        x[_LIDS] = x[_LIDS].max() * (rng.random() < 0.5)  # most lids move together
    return x


def _blinks(rng, expression):
    i = LEAD
    while i < len(expression) - 8:
        i += rng.integers(6, 22)
        length, depth, side = rng.integers(2, 6), rng.uniform(0.4, 1), rng.random()
        for k in range(length):
            if i + k < len(expression):
                shut = depth * np.sin(np.pi * (k + 1) / (length + 1))
                for lid, moves in zip(_LIDS, (side < 0.9, side < 0.8 or side > 0.9)):
                    if moves:
                        expression[i + k, lid] = max(expression[i + k, lid], shut)


def draw(seed, frames=FRAMES):
    """Expression `[n,E]` and pose `[n,6]`; the first `LEAD` frames make no expression."""
    rng = np.random.default_rng(seed)
    knots, at = [(0, np.zeros(len(EXPRESSION))), (LEAD - 1, np.zeros(len(EXPRESSION)))], LEAD
    while at < frames:
        at += rng.integers(2, 6)
        knots.append((at, _target(rng)))
    times, targets = zip(*knots)
    expression = np.stack([np.interp(np.arange(frames), times, [x[c] for x in targets]) for c in range(len(EXPRESSION))], 1)
    _blinks(rng, expression)
    pose = np.zeros((frames, 6))
    for axis, (step, most) in enumerate(((0.14, 0.35), (0.2, 0.5), (0.1, 0.3), (0.05, 0.12), (0.05, 0.12))):
        pose[:, axis] = _wander(rng, frames, step, -most, most)
    return expression.astype(np.float32), pose.astype(np.float32)
