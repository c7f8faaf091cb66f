"""The physical parameters p of a person, which are also the generator's w, and how plausible ones are drawn.

p = identity (24, standard deviations) | expression (12) | texture (colours in [0,1] and shapes) | background (3x8x8 colours).
Coefficients = identity | expression | texture | rotation (pitch, yaw, roll) | translation.
"""

import torch

IDENTITY = 24
EXPRESSION = [
    "jaw", "wide", "pucker", "press", "smile", "upper_raise", "lower_drop",
    "blink_left", "blink_right", "brow", "gaze_x", "gaze_y",
]  # fmt: skip
_TEXTURE = [
    ("skin", 3), ("flush", 1), ("lips", 3), ("brow", 3), ("brow_strength", 1), ("brow_width", 1), ("iris", 3),
    ("lashes", 1), ("beard", 3), ("beard_amount", 1), ("moustache", 1), ("gloss", 1),
    ("hair", 3), ("bald", 1), ("hairline", 1), ("widow", 1), ("top", 1), ("sides", 1), ("burns", 1), ("part", 1),
    ("wave", 1), ("strands", 1), ("long", 1), ("length", 1), ("asym", 1), ("frame", 1),
    ("glasses", 1), ("glasses_size", 1), ("glasses_shade", 1),
    ("cloth", 3), ("neckline", 1), ("shoulders", 1), ("neck", 1),
    ("key_x", 1), ("key_y", 1), ("key", 1), ("ambient", 1), ("tint", 1),
    ("fringe", 1), ("volume", 1), ("curl", 1), ("bun", 1), ("brow_arch", 1), ("brow_tilt", 1), ("freckles", 1), ("age", 1),
    ("glasses_rim", 1), ("glasses_round", 1), ("collar", 1), ("neck_v", 1), ("teeth", 1), ("stubble", 1),
]  # fmt: skip
BACKGROUND = 8  # side of the background's colour grid
E = len(EXPRESSION)
SLOT, _at = {"identity": slice(0, IDENTITY), "expression": slice(IDENTITY, IDENTITY + E)}, IDENTITY + E
for _name, _n in _TEXTURE:
    SLOT[_name] = slice(_at, _at + _n)
    _at += _n
_INDEX = {name: i for i, (name, _) in enumerate(_TEXTURE)}
SLOT["texture"] = slice(IDENTITY + E, _at)
TEXTURE = _at - IDENTITY - E
SLOT["background"] = slice(_at, _at + 3 * BACKGROUND**2)
STYLE = _at  # what the style network sees: everything but the background
D = SLOT["background"].stop
K = STYLE + 6
Z = 128

_SKIN = torch.tensor([[0.93, 0.77, 0.67], [0.88, 0.67, 0.55], [0.76, 0.56, 0.43], [0.58, 0.39, 0.28], [0.43, 0.28, 0.20], [0.29, 0.18, 0.13]])
_HAIR = torch.tensor([[0.05, 0.04, 0.04], [0.11, 0.075, 0.055], [0.22, 0.14, 0.09], [0.36, 0.24, 0.15], [0.58, 0.43, 0.26], [0.45, 0.21, 0.10], [0.52, 0.50, 0.48]])
_IRIS = torch.tensor([[0.13, 0.07, 0.04], [0.26, 0.15, 0.08], [0.34, 0.31, 0.17], [0.30, 0.44, 0.52], [0.42, 0.48, 0.50]])


def uniform(x):
    """Standard normal to uniform in [0,1] (logistic approximation)."""
    return torch.sigmoid(1.702 * x)


def _table(table, t):
    """Piecewise linear colour table at t in [0,1], shape [n,1]."""
    x, out = t * (len(table) - 1), table[0][None]
    for i in range(len(table) - 1):
        out = out + (x - i).clamp(0, 1) * (table[i + 1] - table[i])[None]
    return out


def _cloth(rgb):
    """Colours of clothes: most are muted."""
    grey = rgb.mean(1, keepdim=True)
    return 0.05 + 0.8 * (grey + (rgb - grey) * (0.15 + 0.85 * rgb[:, :1] ** 2))


def plausible(z, psi):
    """z [n,Z] standard normal, psi [1] truncation -> p [n,D] of a neutral person with a closed mouth."""
    z = (z * psi).clamp(-2.6, 2.6)
    n = [0]

    def draw(k=1):
        n[0] += k
        return z[:, n[0] - k : n[0]]

    identity, u = draw(IDENTITY), uniform
    tone = (0.02 + 0.96 * u(1.0 * draw())).clamp(0, 1)
    jitter = draw(3)
    skin = _table(_SKIN, tone) * (1 + 0.05 * jitter[:, :1] + 0.02 * jitter * torch.tensor([1.0, 0.3, -1.0]))
    lip, lip_hue = draw(), draw()
    lips = skin * (torch.tensor([0.87, 0.62, 0.66]) + lip * torch.tensor([0.03, -0.05, -0.04]) + lip_hue * torch.tensor([0.0, 0.03, -0.02])) + torch.tensor([0.035, 0.0, 0.006])
    # dark skins go with dark hair
    hair_t = u(draw()) * (1 - 0.75 * ((tone - 0.35) * 2).clamp(0, 1))
    hair = _table(_HAIR, hair_t) * (1 + 0.12 * draw())
    brow = hair * 0.75 + 0.02 * draw()
    iris = _table(_IRIS, u(draw()) * (1 - 0.8 * ((tone - 0.3) * 2).clamp(0, 1)))
    male = draw()  # one axis ties beard, hair length, brows and lips' colour
    amount = ((male - 0.6 + 0.5 * draw()) * 1.1).clamp(0, 1)
    moustache = (amount * 0.7 + (0.5 * draw() - 0.45) * (male + 0.4).clamp(0, 1)).clamp(0, 1)
    long = ((-male + 0.7 * draw()) * 1.5 + 0.3).clamp(0, 1)
    bald = ((0.45 * male + draw() - 1.1) * 1.3).clamp(0, 1)
    glasses = ((draw() - 1.0) * 8).clamp(0, 1)
    light = draw(5)
    half = lambda k=1: u(draw(k))
    parts = [
        identity, torch.zeros_like(z[:, :E]), skin, half(), lips, brow, half(), half(), iris,
        half() * 0.5 + 0.5 * u(-1.5 * male), hair * 0.9, amount, moustache, half(),
        hair, bald, draw(), draw(), half(), half(), half(), draw(), half(), half(), long * (1 - bald), half(), draw(), half(),
        glasses, draw(), half() * 0.5, _cloth(half(3)), draw(), draw(), draw(),
        0.9 * light[:, :1], 0.35 + 0.35 * light[:, 1:2], 0.52 + 0.10 * light[:, 2:3], 0.60 + 0.06 * light[:, 3:4], light[:, 4:5],
    ]  # fmt: skip
    g = torch.linspace(-1, 1, BACKGROUND)
    gy, gx = -g[:, None].expand(BACKGROUND, BACKGROUND), g[None].expand(BACKGROUND, BACKGROUND)
    level, colour, slope, slope_c, blob, blob_c = draw(), draw(3), draw(2), draw(3), draw(3), draw(3)
    base = (0.5 + 0.28 * level + 0.08 * colour)[:, :, None, None]
    ramp = (gx * slope[:, :1, None, None] + gy * slope[:, 1:2, None, None]) * (0.10 + 0.05 * slope_c[:, :, None, None])
    spot = torch.exp(-((gx - 0.7 * blob[:, :1, None, None]) ** 2 + (gy - 0.5 * blob[:, 1:2, None, None]) ** 2) / 0.35)
    ground = base + ramp + spot * (0.2 * blob_c)[:, :, None, None]
    parts.append(ground.clamp(0.01, 0.99).reshape(-1, 3 * BACKGROUND**2))
    # what came later draws from here on, so that older parts keep their numbers
    dark = (tone - 0.5).clamp(0, 1) * 2
    fringe = ((draw() - 0.35 * male - 0.2) * 1.3).clamp(0, 1) * (1 - bald)
    thin = (1 - 3 * bald).clamp(0, 1)
    volume = ((draw() + 1.3 * dark - 1.0) * 0.8).clamp(0, 1) * thin
    curl = u(1.3 * draw() + 2.2 * dark - 0.9)
    bun = ((draw() - 0.6 * male - 1.8) * 4).clamp(0, 1) * thin
    age = u(1.2 * draw() - 0.4)
    grey = ((age - 0.72) * 2.5 + 0.15 * draw()).clamp(0, 0.9)
    for i in (2 + _INDEX[name] for name in ("brow", "beard", "hair")):
        parts[i] = parts[i] * (1 - grey) + grey * torch.tensor([0.56, 0.55, 0.54])
    parts[-1:-1] = [
        fringe, volume, curl, bun, draw(), draw(), ((draw() - 0.9) * (1 - dark)).clamp(0, 1), age,
        half(), half(), ((draw() - 1.0) * 2).clamp(0, 1), half(), half(), (1.4 * u(male + 0.5 * draw() - 0.4)).clamp(0, 1) * (male + 0.6).clamp(0, 1),
    ]  # fmt: skip
    if n[0] > Z:
        raise ValueError(f"plausible draws {n[0]} numbers, Z is {Z}")
    p = torch.cat(parts, 1)
    return p


def draw_expression(rng):
    """A random expression [12] (numpy generator): visemes, smiles, blinks, gaze; one in six is neutral."""
    import numpy as np

    e = np.zeros(E, np.float32)
    if rng.random() < 1 / 6:
        return e
    on = lambda p: float(rng.random() < p)
    e[0] = max(0, rng.uniform(-0.35, 1))
    if on(0.5):
        e[1] = rng.uniform(0, 1)
    else:
        e[2] = rng.uniform(0, 1) * on(0.7)
    e[3] = rng.uniform(0, 1) * on(0.35) * (1 if e[0] < 0.35 else 0.3)
    e[4] = rng.uniform(0, 1) * on(0.35)
    e[5], e[6] = rng.uniform(0, 1) * on(0.35), rng.uniform(0, 1) * on(0.35)
    if on(0.3):
        e[7] = e[8] = min(1, rng.uniform(0, 1.3))  # quite shut in a good part of them
        e[8] = np.clip(e[8] + rng.normal() * 0.1, 0, 1)
    elif on(0.15):
        e[7 + int(rng.integers(2))] = min(1, rng.uniform(0, 1.3))
    e[9] = rng.uniform(-0.4, 1) * on(0.4)
    e[10:12] = np.clip(rng.normal(size=2) * 0.45, -1, 1) * on(0.6)
    return e
