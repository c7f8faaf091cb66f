"""Expressions asked for beside those that tracking reads off the rendered frames."""

import numpy as np

from . import landmarks

AMOUNTS = (0.0, 0.35, 0.7)
_LARGEST = 1.5  # beyond, faces tear
CHANNELS = ("jaw", "wide", "pucker", "smile", "upper_raise", "lower_drop", "blink_left", "blink_right", "brow", "gaze_x", "gaze_y")


def asked(names, rest):
    """Curves `[n,E]`: each channel in turn leaves the rest expression by every amount; and the channel of each frame.

    It rises, or falls where the rest expression (a broad smile) leaves no room below 1.5. Lids go their share of the way from as open as they rest
    to shut, as `retarget` moves them: an eye that rests wide open (below 0) is no more open than at 0.
    """
    rows, channels = [], []
    for channel in CHANNELS:
        if channel not in names:
            continue
        for amount in AMOUNTS:
            row = rest.copy()
            c = names.index(channel)
            if channel.startswith("blink"):
                row[c] = max(rest[c], 0.0) + amount * (1 - max(rest[c], 0.0))
            else:
                row[c] += amount if rest[c] + max(AMOUNTS) <= _LARGEST else -amount
            if channel in ("wide", "pucker", "smile", "upper_raise", "lower_drop") and "press" in names:
                row[names.index("press")] = min(row[names.index("press")], 0.2)  # pressed lips would hide the motion
            rows.append(row)
            channels.append(channel)
    return np.array(rows, np.float32), channels


def compare(wanted, found, channels, names):
    """By channel: `gain` (change found for a change of 1 asked) and `crosstalk` (root mean square change of the others)."""
    figures = {}
    for channel in dict.fromkeys(channels):
        at = [i for i, other in enumerate(channels) if other == channel]
        c = names.index(channel)
        change = wanted[at, c] - wanted[at[0], c]
        moved = found[at] - found[at[0]]
        gain = float(change @ moved[:, c] / (change @ change))
        tracked = [names.index(other) for other in CHANNELS if other in names and other != channel]
        figures[channel] = {"gain": gain, "crosstalk": float(np.sqrt((moved[-1, tracked] ** 2).mean()) / abs(change[-1]))}
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
        changes = [np.concatenate([e[i] - e[i - i % len(AMOUNTS)] for i in range(len(wanted))]) for e in (wanted, found)]
        gap = landmarks.mouth_gap(out["landmarks"])
        jaw = [i for i, channel in enumerate(channels) if channel == "jaw"]
        parted = (gap[jaw[-1]] - gap[jaw[0]]) / (wanted[jaw[-1], names.index("jaw")] - wanted[jaw[0], names.index("jaw")])
        figures[name] = {"correlation": float(np.corrcoef(*changes)[0, 1]), "gap_per_jaw": parted, "channels": row}
    return figures
