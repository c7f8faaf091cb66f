"""Expressions asked for beside those that tracking reads off the rendered frames."""

import numpy as np

from . import landmarks

AMOUNTS = (0.0, 0.3, 0.6)
_ROOM = 1.1  # beyond, faces tear
_BOTH = ("mouthStretch", "mouthSmile", "mouthFrown", "mouthUpperUp", "mouthLowerDown", "browOuterUp", "browDown", "eyeWide")
# Units that are asked for together: what the face mesh can see, lids one by one.
CHANNELS = {
    **{name: (name,) for name in ("jawOpen", "mouthFunnel", "mouthPucker", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight")},
    **{name: (name + "Left", name + "Right") for name in _BOTH},
    "look left": ("eyeLookOutLeft", "eyeLookInRight"), "look right": ("eyeLookInLeft", "eyeLookOutRight"),
    "look up": ("eyeLookUpLeft", "eyeLookUpRight"), "look down": ("eyeLookDownLeft", "eyeLookDownRight"),
}  # fmt: skip
_SHUT = ("mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper")


def units(channel, names):
    """Where the units of a channel are among the coefficients' `names`; none where one of them is missing."""
    return [names.index(name) for name in CHANNELS[channel]] if set(CHANNELS[channel]) <= set(names) else []


def asked(names, rest):
    """Curves `[n,E]`: each channel in turn leaves the rest expression by every amount; and the channel of each frame.

    It rises, or falls where the rest expression (a broad smile) leaves no room. Lids go their share of the way from as open as they rest to shut, as
    `retarget` moves them.
    """
    rows, channels = [], []
    for channel in CHANNELS:
        at = units(channel, names)
        for amount in AMOUNTS if at else ():
            row = rest.copy()
            if channel.startswith("eyeBlink"):
                row[at] += amount * (1 - rest[at])
            else:
                row[at] += amount if rest[at].max() + max(AMOUNTS) <= _ROOM else -amount
            if channel.startswith("mouth"):  # pressed lips would hide the motion
                for name in _SHUT:
                    if name in names:
                        row[names.index(name)] = min(row[names.index(name)], 0.2)
            rows.append(row)
            channels.append(channel)
    return np.array(rows, np.float32), channels


def compare(wanted, found, channels, names):
    """By channel: `gain` (change found for a change of 1 asked) and `crosstalk` (root mean square change of the others)."""
    figures = {}
    tracked = {channel: units(channel, names) for channel in dict.fromkeys(channels)}
    for channel, own in tracked.items():
        at = [i for i, other in enumerate(channels) if other == channel]
        change = (wanted[at][:, own] - wanted[at[0], own]).mean(1)
        moved = found[at] - found[at[0]]
        gain = float(change @ moved[:, own].mean(1) / (change @ change))
        others = [unit for other, some in tracked.items() if other != channel for unit in some]
        figures[channel] = {"gain": gain, "crosstalk": float(np.sqrt((moved[-1, others] ** 2).mean()) / abs(change[-1]))}
    return figures


def measure(engine, portraits):
    """By portrait: `gain` and `crosstalk` by channel, `correlation` of all changes asked and found, and how far the lips part."""
    figures = {}
    names = list(engine.expressions)
    for name, path in portraits.items():
        coefficients, _ = engine.person(path)
        rest, pose = engine.split(coefficients)
        wanted, channels = asked(names, rest)
        out = engine.animate(path, wanted, np.repeat(pose[None], len(wanted), 0), ["landmarks", "motion"])
        found = out["motion"]["expression"]
        row = compare(wanted, found, channels, names)
        seen = sorted({unit for channel in dict.fromkeys(channels) for unit in units(channel, names)})
        changes = [np.concatenate([e[i, seen] - e[i - i % len(AMOUNTS), seen] for i in range(len(wanted))]) for e in (wanted, found)]
        gap, opens = landmarks.mouth_gap(out["landmarks"]), names.index("jawOpen")
        jaw = [i for i, channel in enumerate(channels) if channel == "jawOpen"]
        parted = (gap[jaw[-1]] - gap[jaw[0]]) / (wanted[jaw[-1], opens] - wanted[jaw[0], opens])
        figures[name] = {"correlation": float(np.corrcoef(*changes)[0, 1]), "gap_per_jaw": parted, "channels": row}
    return figures
