"""How plausible people are drawn: from normal numbers (the pack's `mapping`), and their random expressions (training pictures)."""

import numpy as np
import torch

from . import params as P
from .grooms import PRESETS

# Colours of skin by how dark it is, of hair by how light, and of irises by how pale. sRGB.
_SKIN = torch.tensor([[0.91, 0.77, 0.69], [0.87, 0.69, 0.58], [0.79, 0.60, 0.47], [0.66, 0.47, 0.35], [0.50, 0.34, 0.25], [0.37, 0.24, 0.17], [0.26, 0.17, 0.13]])
_HAIR = torch.tensor([[0.06, 0.05, 0.05], [0.12, 0.09, 0.07], [0.23, 0.16, 0.11], [0.36, 0.25, 0.16], [0.55, 0.42, 0.27], [0.70, 0.58, 0.40]])
_RED, _GREY = torch.tensor([0.38, 0.19, 0.10]), torch.tensor([0.66, 0.65, 0.64])
_IRIS = torch.tensor([[0.14, 0.08, 0.05], [0.25, 0.15, 0.08], [0.34, 0.27, 0.14], [0.35, 0.38, 0.27], [0.33, 0.46, 0.55], [0.45, 0.53, 0.58]])
_STYLES = list(PRESETS)
_STYLE_NAMES = sorted({name for preset in PRESETS.values() for name in preset})
# How likely a style is, in units of a softmax, and what one step of the sex adds to that.
_MALE = {"shaved": 0.6, "buzz": 0.9, "short_crop": 0.9, "receding": 1.0, "wreath": 1.2, "undercut": 0.7, "bob": -1.0, "shoulder": -0.9, "wavy_long": -1.0, "tied": -0.9, "fringe": -0.9, "straight_long": -1.0}  # fmt: skip
_SHARP = 4.0


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
    return 0.04 + 0.8 * (grey + (rgb - grey) * (0.1 + 0.7 * rgb[:, :1] ** 2))


def _rare(x, share):
    """In [0,1]: nearly 1 for about `share` of normal numbers, nearly 0 for most others."""
    cut = float(np.sqrt(2) * torch.special.erfinv(torch.tensor(1 - 2 * share)))
    return torch.sigmoid((x - cut) * 30)  # half a pair of glasses is nothing to learn from


class _Draw:
    """Takes normal numbers one after the other."""

    def __init__(self, z):
        self.z, self.taken = z, 0

    def __call__(self, k=1):
        self.taken += k
        if self.taken > P.Z:
            raise ValueError(f"more than Z = {P.Z} numbers are drawn")
        return self.z[:, self.taken - k : self.taken]


def _styled(draw, male, old, dark):
    """What the hair's shape is, by name [n,1]: between presets, mostly near one."""
    likely = torch.cat([_SHARP * 0.6 * draw() + _SHARP * 0.5 * _MALE.get(name, 0.0) * male + (old if name in ("receding", "wreath") else 0 * old) for name in _STYLES], 1)
    curly = torch.tensor([[2.5 if name in ("afro", "locks") else 0.8 if name in ("curly", "buzz", "shaved") else -0.8 if name in ("straight_long",) else 0.0 for name in _STYLES]])
    share = torch.softmax(likely + curly * (2 * dark - 1), 1)
    table = torch.tensor([[PRESETS[style].get(name, 0.0) for name in _STYLE_NAMES] for style in _STYLES])
    mixed = share @ table
    return {name: mixed[:, i : i + 1] for i, name in enumerate(_STYLE_NAMES)}


def plausible(z, psi):
    """z [n,Z] standard normal, psi [1] truncation -> p [n,D] of a neutral person with a closed mouth."""
    draw = _Draw((z * psi).clamp(-2.6, 2.6))
    u = uniform
    male = torch.tanh(2.5 * draw())
    age, african, asian = 0.9 * draw(), draw(), draw()
    origin = torch.softmax(torch.cat([1.6 * african, 1.6 * asian, 1.6 * draw()], 1), 1)
    shares = (origin - 1 / 3) * 3
    identity = torch.cat([male, age, shares[:, :1], shares[:, 1:2], 0.8 * draw(), 0.7 * draw(), 0.8 * draw(P.IDENTITY - 6)], 1)
    old = u(1.3 * age)  # in [0,1]
    tone = (0.86 * origin[:, :1] + 0.36 * origin[:, 1:2] + 0.17 * origin[:, 2:] + 0.16 * draw()).clamp(0, 1)
    dark = ((tone - 0.35) * 2).clamp(0, 1)
    jitter = draw(3)
    p = {"skin": _table(_SKIN, tone) * (1 + 0.05 * jitter[:, :1] + 0.02 * jitter * torch.tensor([1.0, 0.3, -1.0]))}
    made_up = torch.sigmoid(-4 * male + 2 * draw() - 1.5) * (1 - 0.5 * old)
    lip, hue = draw(), draw(3)
    lips = p["skin"] * (torch.tensor([0.88, 0.66, 0.66]) + lip * torch.tensor([0.03, -0.04, -0.03])) + torch.tensor([0.02, 0.0, 0.005])
    painted = torch.tensor([0.62, 0.18, 0.22]) + 0.12 * hue
    p["lips"] = (lips + 0.6 * made_up * (painted - lips)).clamp(0.03, 0.95)
    p |= {"flush": u(draw()), "lip_gloss": u(draw() + 2 * made_up - 1), "gloss": u(draw()), "pores": u(draw() + 0.5 * male), "freckles": _rare(draw() - 3 * dark, 0.15) * u(draw())}
    p["wrinkles"] = u(2.2 * age + 0.5 * draw() - 0.3)
    tint = draw(3)
    p["shadow"] = (torch.tensor([0.35, 0.26, 0.28]) + 0.16 * tint.mean(1, keepdim=True) + 0.06 * tint).clamp(0.03, 0.95)
    p |= {"shadow_amount": made_up * u(draw()), "liner": made_up * u(draw() + 0.5), "lashes": 0.35 * u(draw()) + 0.65 * u(2 * draw() - 2 * male)}
    p["iris"] = _table(_IRIS, u(draw()) * (1 - 0.85 * (dark + 2 * origin[:, 1:2]).clamp(0, 1)))
    light = u(draw()) * (1 - 0.8 * (dark + 1.5 * origin[:, 1:2]).clamp(0, 1))
    hair = _table(_HAIR, light) * (1 + 0.10 * draw())
    hair = hair + _rare(draw() - 3 * dark, 0.10) * (_RED - hair)
    grey = ((old - 0.55) * 2.6 + 0.3 * draw()).clamp(0, 0.95)
    greyed = lambda colour, share: colour + share * (_GREY - colour)
    p["brow"] = (greyed(hair * 0.8, 0.6 * grey) * (1 + 0.08 * draw())).clamp(0.02, 0.95)
    p |= {"brow_strength": u(draw() + 0.5 * male + 0.3), "brow_width": u(draw() + 0.8 * male), "brow_arch": 0.6 * draw() - 0.4 * male, "brow_tilt": 0.6 * draw(), "teeth": u(draw() - 0.8 * age + 0.6)}
    p["beard"] = greyed(hair * (1 + 0.08 * draw()) * torch.tensor([0.95, 0.85, 0.80]), grey).clamp(0.02, 0.95)
    bearded = torch.sigmoid(5 * male + 3 * draw() - 5.2)
    p |= {"chin_beard": bearded * u(draw()), "cheek_beard": bearded * u(draw() - 0.2), "moustache": (torch.sigmoid(5 * male + 3 * draw() - 6) + bearded).clamp(0, 1) * u(draw() + 0.5)}
    p["stubble"] = torch.sigmoid(4 * male - 2.0) * u(1.5 * draw() - 0.3)
    p["hair"] = greyed(hair, grey).clamp(0.02, 0.95)
    p["hair_tips"] = u(draw()) * (0.3 + 0.7 * light)
    p |= {name: value for name, value in _styled(draw, male, 2.5 * (old - 0.6), dark).items()}
    for name, size in (("part", 0.35), ("sweep", 0.25), ("fringe", 0.12), ("top", 0.08), ("sides", 0.06), ("back", 0.08), ("volume", 0.15), ("wave", 0.15), ("clump", 0.15), ("frizz", 0.12)):
        bound = (-1, 1) if name in ("part", "sweep") else (0, 1)
        p[name] = (p.get(name, 0 * male) + size * draw()).clamp(*bound)
    glasses = _rare(draw() + 0.3 * age, 0.16)
    p |= {"glasses": glasses, "glasses_size": u(draw()), "glasses_round": u(draw()), "glasses_rim": u(draw()), "glasses_rgb": (0.12 + 0.25 * u(2 * draw(3) - 1.5)).clamp(0, 1), "glasses_dark": _rare(draw(), 0.06)}
    p |= {"earrings": _rare(draw() - 1.2 * male, 0.25), "earring_size": u(draw())}
    p |= {"cap": _rare(draw() + 0.3 * male, 0.04), "scarf": _rare(draw() - 0.7 * male - 0.7, 0.03), "cover": _cloth(u(draw(3)))}
    p |= {"cloth": _cloth(u(draw(3))), "cloth_inner": _cloth(u(draw(3)) * 0.5 + 0.4), "collar": u(1.4 * draw()), "neckline": u(draw()), "neck_v": u(1.5 * draw()), "pattern": _rare(draw(), 0.2) * u(draw())}
    p |= {"key_x": 0.9 * draw(), "key_y": 0.35 + 0.4 * draw(), "key": u(0.8 * draw()), "hard": u(draw() - 0.5), "ambient": u(0.8 * draw()), "sky": u(draw()), "side": 0.6 * draw(), "rim": _rare(draw(), 0.25) * u(draw()), "warm_key": 0.5 * draw(), "warm_ambient": 0.5 * draw()}  # fmt: skip
    texture = [p[name] if name in p else torch.zeros_like(z[:, :n]) for name, n in P.NAMES]
    return torch.cat([identity, torch.zeros_like(z[:, : P.E]), *texture, _ground(draw)], 1)


def _ground(draw):
    """Background colours [n,3·64]: a level, two slopes and a soft spot."""
    g = torch.linspace(-1, 1, P.BACKGROUND)
    gy, gx = -g[:, None].expand(P.BACKGROUND, P.BACKGROUND), g[None].expand(P.BACKGROUND, P.BACKGROUND)
    level, colour, slope, slope_c, blob, blob_c = draw(), draw(3), draw(2), draw(3), draw(3), draw(3)
    muted = lambda c: 0.85 * c.mean(1, keepdim=True) + 0.15 * c  # walls and skies are hardly coloured
    base = (0.5 + 0.22 * level + 0.03 * colour)[:, :, None, None]
    ramp = (gx * slope[:, :1, None, None] + gy * slope[:, 1:2, None, None]) * (0.08 + 0.04 * muted(slope_c)[:, :, None, None])
    spot = torch.exp(-((gx - 0.7 * blob[:, :1, None, None]) ** 2 + (gy - 0.5 * blob[:, 1:2, None, None]) ** 2) / 0.35)
    ground = base + ramp + spot * (0.20 * muted(blob_c))[:, :, None, None]
    return ground.clamp(0.01, 0.99).reshape(-1, 3 * P.BACKGROUND**2)


def look(expression, aside, up):
    """Turns both eyes of an expression [52] in place: to the person's left and up, each in [-1,1]."""
    ways = {"OutLeft": aside, "InRight": aside, "InLeft": -aside, "OutRight": -aside} | {way + side: sign * up for way, sign in (("Up", 1), ("Down", -1)) for side in ("Left", "Right")}
    for way, value in ways.items():
        expression[P.UNIT["eyeLook" + way]] = np.clip(value, 0, 1)


def draw_expression(rng):
    """A random expression [52] (numpy generator): visemes, smiles, frowns, blinks, gaze; one in eight is neutral."""
    e = np.zeros(P.E, np.float32)
    if rng.random() < 1 / 8:
        return e
    on = lambda share: float(rng.random() < share)

    def put(name, value):
        e[P.UNIT[name]] = np.clip(value, 0, 1)

    def sides(name, value, apart=0.12):
        """The same on both sides, up to what people differ by; one in ten one-sided."""
        one = rng.integers(3) if rng.random() < 0.1 else 0
        for i, side in enumerate(("Left", "Right"), 1):
            put(name + side, value * (0.1 if one == i else 1) + apart * rng.normal() * (value > 0))

    # speech: how far the jaw is open, and what lips do with it
    jaw = rng.uniform(0, 0.9) ** 1.4 * on(0.75)
    put("jawOpen", jaw)
    kind = rng.random()
    if kind < 0.14:  # shut lips over any jaw: p, b, m
        put("mouthClose", jaw * rng.uniform(0.7, 1.0))
        sides("mouthPress", rng.uniform(0, 0.8) * on(0.6))
        put("mouthRollLower", rng.uniform(0, 0.7) * on(0.5)), put("mouthRollUpper", rng.uniform(0, 0.7) * on(0.5))
    elif kind < 0.24:  # the lower lip at the upper teeth: f, v
        put("mouthRollLower", rng.uniform(0.3, 1.0)), put("jawOpen", min(jaw, 0.25))
        sides("mouthUpperUp", rng.uniform(0, 0.5)), put("mouthShrugLower", rng.uniform(0, 0.4) * on(0.5))
    elif kind < 0.42:  # rounded: o, u, w, sh
        put("mouthPucker", rng.uniform(0, 1)), put("mouthFunnel", rng.uniform(0, 1) * on(0.7))
    elif kind < 0.62:  # spread: e, i, s
        sides("mouthStretch", rng.uniform(0, 1) * on(0.8)), sides("mouthLowerDown", rng.uniform(0, 0.9) * on(0.7)), sides("mouthUpperUp", rng.uniform(0, 0.6) * on(0.5))
    else:
        for name in ("mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "cheekPuff"):
            put(name, rng.uniform(0, 0.9) * on(0.12))
        for name in ("mouthStretch", "mouthLowerDown", "mouthUpperUp", "mouthPress", "mouthDimple"):
            sides(name, rng.uniform(0, 0.9) * on(0.15))
    smile = rng.uniform(0, 1) * on(0.35)
    sides("mouthSmile", smile), sides("cheekSquint", smile * rng.uniform(0, 1))
    if smile == 0:
        sides("mouthFrown", rng.uniform(0, 0.9) * on(0.15)), sides("noseSneer", rng.uniform(0, 0.8) * on(0.1))
    way = rng.choice(["Left", "Right"])
    put("jaw" + way, rng.uniform(0, 0.7) * on(0.08)), put("mouth" + way, rng.uniform(0, 0.8) * on(0.08)), put("jawForward", rng.uniform(0, 0.8) * on(0.06))
    put("tongueOut", rng.uniform(0, 1) * on(0.04) * (jaw > 0.2))
    # brows and eyes
    brows = rng.random()
    if brows < 0.25:
        put("browInnerUp", rng.uniform(0, 1)), sides("browOuterUp", rng.uniform(0, 1) * on(0.7))
    elif brows < 0.4:
        sides("browDown", rng.uniform(0, 1))
    if on(0.3):
        shut = min(1.0, rng.uniform(0, 1.35))  # quite shut in a good part of them
        put("eyeBlinkLeft", shut), put("eyeBlinkRight", shut + rng.normal() * 0.07)
    elif on(0.1):
        put(rng.choice(["eyeBlinkLeft", "eyeBlinkRight"]), min(1.0, rng.uniform(0, 1.3)))
    else:
        sides("eyeWide", rng.uniform(0, 0.9) * on(0.15))
    sides("eyeSquint", rng.uniform(0, 0.9) * on(0.2) + 0.3 * smile)
    aside, up = np.clip(rng.normal(size=2) * 0.45, -1, 1) * on(0.6)  # to the person's left, up
    look(e, aside, up)
    return e
