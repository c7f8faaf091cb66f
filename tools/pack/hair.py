"""Hair on the head: where it grows, how far it stands off, the long hair's curtain and the bun. Centimetres, canonical frame."""

import numpy as np

from . import mesh as M

CROWN = np.array([0.0, 11.0, -5.0])


def strand_coordinates(p):
    """Positions [n,3] to (across, along) the strands in centimetres: strands run from the crown outwards."""
    d = p - CROWN
    turn, flat = np.arctan2(d[:, 0], d[:, 2] + 1e-3), np.hypot(d[:, 0], d[:, 2])
    return turn * (2.5 + 0.75 * flat), flat + np.abs(d[:, 1])


def hairline(x, g):
    """Height of the hairline above the brow at x."""
    across = x - 1.3 * g("part")
    line = 9.1 + 0.8 * g("hairline") - (0.030 + 0.010 * g("widow")) * across**2 + 6.5 * g("bald")
    line = line + 1.6 * g("bald") * np.exp(-(((np.abs(x) - 3.4) / 1.5) ** 2)) - 0.35 * np.clip(g("widow"), 0, 2) * np.exp(-((x / 0.9) ** 2))
    swept = 0.22 * g("part") * x + 0.25 * np.sin(1.3 * x + 3 * g("wave"))
    return line - g("fringe") * (3.6 + swept) * np.exp(-((x / 5.6) ** 4))


def grown(head, g):
    """Where hair grows on the fine head mesh, in [0,1], and how thick it is in centimetres. `g` gives parameters by name."""
    x, y, z = head.fine.T
    bald = g("bald")
    front = M.step(-0.9, 0.9, y - hairline(x, g)) * M.step(1, 4, y)
    temple = 0.6 + 0.25 * (y - 2) - 1.8 * bald + 0.9 * g("fringe")
    low = -2.0 - 2.2 * (g("burns") - 0.5) + 3.5 * np.clip(z + 1.5, -1, 2.5) * (1 - g("burns") * 0.6)
    side = M.step(-0.9, 0.9, temple - z) * M.step(-1.2, 1.0, y - np.where(z < -4, -5.0, low)) * M.step(1.5, -1.5, y - 13 + 9 * bald)
    mask = (1 - (1 - front) * (1 - side)) * (1 - M.step(0.6, 0.95, bald))
    over = M.step(2, 9, y)
    thick = 0.22 + 1.9 * g("top") ** 2 * over + 1.5 * g("sides") ** 2 * M.step(7, -1, y) * M.step(2, -2, z)
    thick = thick * (1 + np.clip(0.28 * g("part"), -0.6, 0.6) * np.tanh(x / 3) * M.step(3, 8, y))
    parting = np.exp(-(((x - 1.6 * g("part")) / 0.7) ** 2)) * M.step(7, 10, y) * (1 - g("fringe")) * (1 - g("volume"))
    thick = thick * (1 - 0.45 * parting * min(1, abs(g("part"))))
    thick = thick * (1 - 0.6 * bald) + g("volume") * (0.8 + 2.6 * M.step(-4, 6, y)) * M.step(4, 1, z - 0.6 * np.clip(y - 5, 0, 4))
    f = head.fine
    lock = np.sin(f @ [2.3, 1.1, 0.7] + g("wave") * 5) * np.sin(f @ [-1.1, 2.0, 1.9])
    puff = np.sin(f @ [3.9, 2.0, -1.7]) * np.sin(f @ [-2.2, 3.5, 2.6]) * np.sin(f @ [1.5, -1.9, 3.8] + 1)
    return mask, thick + (0.10 + 0.16 * g("top")) * lock * (1 - g("curl")) + (0.10 + 0.45 * g("volume")) * g("curl") * puff


def curtain(p, g, wide):
    """Long hair around the back and sides: p (turn in [-1,1], fall in [0,1]) to positions [n,3]."""
    fall = p[:, 1]
    turn = p[:, 0] * (1.80 + 0.62 * g("frame") - 0.15 * fall)
    t = turn + 0.15 * g("wave") * np.sin(3 * fall) * fall + 0.03 * np.sin(9 * fall + 7 * np.sign(p[:, 0])) * fall
    tips = 0.5 * np.sin(t * 23) * np.sin(t * 41 + 1) + 0.35 * np.sin(t * 67)
    end = -2.5 - 11.0 * g("length") + 1.2 * g("asym") * p[:, 0] + 0.35 * np.sin(t * 4 + 2 * g("part")) + tips
    end = 2.5 + (end - 2.5) * min(1, 0.3 + g("long"))
    y = 9.5 + (end - 9.5) * fall
    top = np.sqrt(np.clip(1 - (np.clip(y - 2.5, 0, 9) / 10.4) ** 2, 0.02, 1))
    r = (7.75 + 1.5 * g("sides") + (0.3 + 1.2 * g("curl")) * fall * (0.3 * g("wave") + 0.7)) * top * wide
    r = r - 1.3 * np.abs(p[:, 0]) ** 8 - 1.4 * fall**4  # the edges turn in
    r = r + 0.22 * np.sin(t * 6 + g("wave") * 4) * fall + 0.35 * np.sin(y * 1.1 + g("wave") * 2 + t) * min(1, abs(g("wave"))) * fall
    r = r + 0.3 * g("curl") * np.sin(7 * t + 1.2 * y) * np.sin(1.9 * y - 3 * t)
    return np.stack([r * np.sin(t), y, -2.6 - r * 1.05 * np.cos(t)], 1)


def bun(a, b):
    """Unit sphere; a from pole to pole, b around."""
    t, s = a * np.pi, b * 2 * np.pi
    return np.sin(t) * np.sin(s), np.cos(t), np.sin(t) * np.cos(s)


def beard(x, y, z, skull, g):
    """Beard, moustache and stubble density in [0,1] on canonical positions: (full, stubble)."""
    ax = np.abs(x)
    region = M.step(-3.0, -5.6, y - 0.055 * ax * ax) * M.step(-13, -11.5, y) * M.step(-4, -2, z) * (1 - 0.6 * skull)
    region = region * (1 - 0.97 * np.exp(-((x / 2.35) ** 2) ** 2 - ((y + 4.5) / 0.95) ** 2))
    upper = np.exp(-(((y + 2.98) / 0.42) ** 2)) * M.step(3.1, 2.0, ax) * M.step(2.5, 3.5, z)
    full = np.maximum(region * g("beard_amount"), upper * g("moustache"))
    return np.clip(full, 0, 1), np.clip(np.maximum(region, 0.9 * upper) * g("stubble"), 0, 1)
