"""Curves of expression and pose that a head is moved by while the face mesh looks at it."""

import numpy as np

from ..heads.params import E, EXPRESSION, UNIT
from ..heads.people import draw_expression, look

LEAD = 10  # frames at the beginning in which the face does nothing
FRAMES = 150
LIDS = [UNIT["eyeBlinkLeft"], UNIT["eyeBlinkRight"]]
LOOKS = [UNIT[name] for name in EXPRESSION if name.startswith("eyeLook")]


def _groups():
    """Units that move together, the two sides of a face: {name without the side: units}; where eyes look is not among them."""
    groups = {}
    for unit, name in enumerate(EXPRESSION):
        if unit not in LOOKS and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            groups.setdefault(name.removesuffix("Left").removesuffix("Right"), []).append(unit)
        elif unit not in LOOKS:
            groups[name] = [unit]
    return groups


GROUPS = _groups()


def _wander(rng, n, step, low, high):
    """A random walk back to zero (an autoregressive process), clipped."""
    x, value = np.empty(n), rng.standard_normal()
    for i in range(n):
        value = 0.95 * value + np.sqrt(1 - 0.95**2) * rng.standard_normal()
        x[i] = value
    return np.clip(x * step, low, high)


def _move(rng, x, name):
    """One group of units moved, one in five with sides to one side alone. `mouthClose` shuts what a jaw has opened."""
    units, value = GROUPS[name], rng.uniform(0, 1)
    alone = rng.integers(2) if len(units) == 2 and rng.random() < 0.2 else None
    for side, unit in enumerate(units):
        x[unit] = value if alone in (None, side) else 0
    if name == "mouthClose":
        x[UNIT["jawOpen"]] = max(x[UNIT["jawOpen"]], value)


def _target(rng):
    """An expression that is made for a few frames: one group alone, the eyes alone, two or three groups, or anything of speech and faces."""
    x, kind = np.zeros(E), rng.random()
    if kind < 0.35:
        _move(rng, x, rng.choice(list(GROUPS)))
    elif kind < 0.4:
        look(x, *rng.uniform(-0.8, 0.8, 2))
    elif kind < 0.6:
        for name in rng.choice(list(GROUPS), rng.integers(2, 4), replace=False):
            _move(rng, x, name)
    else:
        x = draw_expression(rng).astype(float)
    return x


def _blinks(rng, expression):
    i = LEAD
    while i < len(expression) - 8:
        i += rng.integers(6, 22)
        length, depth, side = rng.integers(2, 6), rng.uniform(0.4, 1), rng.random()
        for k in range(length):
            if i + k < len(expression):
                shut = depth * np.sin(np.pi * (k + 1) / (length + 1))
                for lid, moves in zip(LIDS, (side < 0.9, side < 0.8 or side > 0.9)):
                    if moves:
                        expression[i + k, lid] = max(expression[i + k, lid], shut)


def draw(seed, frames=FRAMES):
    """Expression `[n,E]` and pose `[n,6]`; the first `LEAD` frames make no expression."""
    rng = np.random.default_rng(seed)
    knots, at = [(0, np.zeros(E)), (LEAD - 1, np.zeros(E))], LEAD
    while at < frames:
        at += rng.integers(2, 6)
        knots.append((at, _target(rng)))
    times, targets = zip(*knots)
    expression = np.stack([np.interp(np.arange(frames), times, [x[c] for x in targets]) for c in range(E)], 1)
    _blinks(rng, expression)
    pose = np.zeros((frames, 6))
    for axis, (step, most) in enumerate(((0.14, 0.35), (0.2, 0.5), (0.1, 0.3), (0.05, 0.12), (0.05, 0.12))):
        pose[:, axis] = _wander(rng, frames, step, -most, most)
    return expression.astype(np.float32), pose.astype(np.float32)
