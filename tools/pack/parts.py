"""Everything of a person around the face mesh: hair, ears, neck, torso, the mouth's inside, glasses. Centimetres, canonical frame."""

import numpy as np

from . import mesh as M
from .geometry import HINGE, JAW

HAIR, NECK, TORSO, CAVITY, TEETH, TONGUE, EAR_L, EAR_R, GLASSES = 4, 5, 6, 7, 8, 9, 10, 11, 12


def _neck(a, b):
    t = b * 2 * np.pi
    flare = 1 + 1.1 * M.step(0.5, 1, a)
    front = 4.9 * (1 + 0.3 * M.step(0.6, 1, a)) - 3.2 * M.step(0.45, 0.15, a)
    return 5.3 * flare * np.sin(t), -3.0 - a * 10, -3.4 + front * np.cos(t)


def _torso(a, b):
    t = b * 2 * np.pi
    width, deep = 5 + 15.5 * M.step(0, 0.35, a) ** 0.8, 4.6 + 3.2 * M.step(0, 0.4, a)
    y = -8.6 - 3.6 * (np.abs(np.sin(t)) ** 1.5) * M.step(0, 0.4, a) - a * 14
    return width * np.sin(t), y, -3.2 + deep * np.cos(t)


def _cavity(a, b):
    t, r = b * 2 * np.pi, 1 - a
    return 2.35 * r * np.cos(t), -4.45 + 1.3 * r * np.sin(t), 3.75 - 3.0 * np.sqrt(np.maximum(0, 1 - r * r))


def _teeth(top, bottom, width, front):
    def f(a, b):
        x = (b - 0.5) * 2 * width
        return x, top + (bottom - top) * a, front - 0.21 * x * x

    return f


def _tongue(a, b):
    t = b * 2 * np.pi
    return 1.4 * a * np.cos(t), -5.0 + 0.4 * (1 - a * a), 3.1 + 1.3 * a * np.sin(t)


def _ear(a, b):
    """Unit ear: x out of the head, y up, z forward, about the attachment; a is the radius, b the turn."""
    t = b * 2 * np.pi
    forward, up = np.cos(t) * a, np.sin(t) * a
    wide = 1.8 * (1 - 0.3 * np.clip(-up, 0, 1))
    rim = M.step(0.55, 0.88, a) - 1.2 * M.step(0.88, 1.0, a)
    out = 0.15 + 0.75 * (0.7 - forward) + 0.35 * rim - 0.45 * M.step(0.7, 0.1, a)
    return out, 3.0 * up - 0.35 * forward, -1.0 + wide * forward


def _rim(a, b):
    """A spectacle rim in the plane z = 0: tube of radius 0.13 along a rounded rectangle."""
    t, s = b * 2 * np.pi, a * 2 * np.pi
    k = 1 / np.power(np.abs(np.cos(t)) ** 3 + np.abs(np.sin(t)) ** 3 + 1e-6, 1 / 3)
    r = 0.16
    return (2.35 * k + r * np.cos(s)) * np.cos(t), (1.75 * k + r * np.cos(s)) * np.sin(t), r * np.sin(s)


_PARTS = {
    "neck": M.grid(_neck, 12, 33), "torso": M.grid(_torso, 20, 49), "cavity": M.grid(_cavity, 8, 25),
    "upper": M.grid(_teeth(-3.7, -4.62, 1.95, 4.55), 4, 25), "lower": M.grid(_teeth(-4.28, -5.2, 1.75, 4.35), 4, 25),
    "tongue": M.grid(_tongue, 6, 17), "ear": M.grid(_ear, 9, 25), "curtain": M.grid(lambda a, b: ((b - 0.5) * 2, a, 0 * a), 16, 49),
    "rim": M.grid(_rim, 6, 33), "bridge": M.grid(lambda a, b: ((b - 0.5) * 1.6, 0.12 * np.cos(a * 6.28), 0.12 * np.sin(a * 6.28)), 5, 5),
}  # fmt: skip


def hair_masks(head, g):
    """Where hair grows on the fine head mesh, in [0,1], and how thick it is in centimetres. `g` gives parameters by name."""
    x, y, z = head.fine.T
    line = 8.8 + 0.9 * g("hairline") + 5 * g("bald") - (0.030 + 0.012 * g("widow")) * (x - 1.3 * g("part")) ** 2
    line = line + 0.22 * np.sin(x * 2.1 + 3 * g("wave"))
    front = M.step(-0.7, 0.7, y - line) * M.step(1, 4, y)
    temple = 1.0 + 0.25 * (y - 2) - 2.2 * g("bald")
    low = -2.6 - 2.2 * (g("burns") - 0.5) + 3.5 * np.clip(z + 1.5, -1, 2.5) * (1 - g("burns") * 0.6)
    side = M.step(-0.6, 0.6, temple - z) * M.step(-1.2, 1.0, y - np.where(z < -4, -5.0, low))
    mask = np.clip(np.maximum(front, side), 0, 1) * (1 - M.step(0.35, 0.9, g("bald")))
    thick = 0.25 + 2.3 * g("top") ** 2 * M.step(2, 9, y) + 1.5 * g("sides") ** 2 * M.step(7, -1, y) * M.step(2, -2, z)
    thick = thick * (1 + 0.3 * g("part") * np.tanh(x / 3) * M.step(3, 8, y))
    wave = np.sin(head.fine @ [2.3, 1.1, 0.7] + g("wave") * 5) * np.sin(head.fine @ [-1.1, 2.0, 1.9])
    return mask, thick + (0.12 + 0.2 * g("top")) * wave


class Person:
    """All triangles of one person: `v` [N,3], `f` [T,3], `tag` [T], `canonical` [N,3] (where to look textures up)."""

    def __init__(self, head, morphable, identity, expression, g):
        import torch

        i, e = torch.tensor(identity)[None], torch.tensor(expression)[None]
        with torch.no_grad():
            base = morphable.centimetres(i, e)[0].double().numpy()
            rest = morphable.centimetres(i, torch.zeros_like(e))[0].double().numpy()
        self.base, moved = base, rest - head.base
        skin = head.subdivide @ base
        self._lists = [[], [], [], []]
        self._n = 0
        mask, thick = hair_masks(head, g)
        normal = M.normals(skin, head.faces)
        # a full beard stands off the skin
        x, y, z = head.fine.T
        self.beard = beard_mask(x, y, z, head.fine_skull, g)
        skin = skin + normal * (0.45 * M.step(0.5, 1, self.beard))[:, None]
        self._add(skin, head.faces, head.tags, head.fine)
        self.hair_mask = mask
        keep = mask[head.faces].min(1) > 0.1
        if keep.any():
            self._add(skin + normal * (thick * np.sqrt(mask))[:, None] - normal * 0.02, head.faces[keep], HAIR, head.fine)
        wide = 1 + 0.045 * identity[0]
        self._curtain(g, wide)
        for side, vertex, tag in ((1, 454, EAR_L), (-1, 234, EAR_R)):
            p, f = _PARTS["ear"]
            centre = head.base[vertex] + moved[vertex] + [0, 0.9, -0.1]
            self._add(p * [side, 1, 1] + centre - [side * 0.35, 0, 0], f, tag, p)
        p, f = _PARTS["neck"]
        self._add(p * [1 + 0.06 * g("neck"), 1, 1], f, NECK)
        p, f = _PARTS["torso"]
        self._add(p * [1 + 0.07 * g("shoulders"), 1, 1], f, TORSO)
        self._mouth(head, moved, expression)
        if g("glasses") > 0.5:
            self._glasses(head, moved, g)
        self.v, self.f = np.concatenate(self._lists[0]), np.concatenate(self._lists[1]).astype(np.int32)
        self.tag, self.canonical = np.concatenate(self._lists[2]), np.concatenate(self._lists[3])
        corners = (head.base + moved)[[33, 133, 263, 362]]
        self.eyes = (corners[:2].mean(0), corners[2:].mean(0))  # image left (person's right), image right
        self.eye_size = np.abs(corners[0, 0] - corners[1, 0]) / 2.59

    def _add(self, p, f, tag, canonical=None):
        for part, value in zip(self._lists, (p, f + self._n, np.broadcast_to(tag, len(f)), p if canonical is None else canonical)):
            part.append(value)
        self._n += len(p)

    def _curtain(self, g, wide):
        if g("long") < 0.08 or g("bald") > 0.4:
            return
        p, f = _PARTS["curtain"]
        t = p[:, 0] * (1.72 + 0.45 * g("frame"))
        end = -2.5 - 11.0 * g("length") + 1.2 * g("asym") * p[:, 0] + 0.4 * np.sin(t * 11)
        end = 2.5 + (end - 2.5) * min(1, 0.3 + g("long"))
        y = 9.0 + (end - 9.0) * p[:, 1]
        top = np.sqrt(np.clip(1 - (np.clip(y - 2.5, 0, 9) / 9.6) ** 2, 0.02, 1))
        r = (8.3 + 1.3 * g("sides") + 0.9 * p[:, 1] * (g("wave") * 0.4 + 0.5)) * top * wide
        r = r + 0.3 * np.sin(t * 9 + g("wave") * 4) * p[:, 1] + 0.35 * np.sin(y * 1.1 + g("wave") * 2 + t) * min(1, abs(g("wave"))) * p[:, 1]
        self._add(np.stack([r * np.sin(t), y, -2.6 - r * 1.05 * np.cos(t)], 1), f, HAIR)

    def _mouth(self, head, moved, expression):
        shift = moved[[13, 14]].mean(0)
        angle = JAW * 0.95 * expression[0]
        wide = 1 + 0.10 * expression[1] - 0.16 * expression[2]
        for name, tag, follow, scale in (
            ("cavity", CAVITY, 0.55, [1, 1, 1]), ("upper", TEETH, 0, [0.97 * wide, 1, 1]),
            ("lower", TEETH, 1, [0.97 * wide, 1, 1]), ("tongue", TONGUE, 0.9, [1, 1, 1]),
        ):  # fmt: skip
            p, f = _PARTS[name]
            c, s = np.cos(angle * follow), np.sin(angle * follow)
            y, z = p[:, 1] - HINGE[0], p[:, 2] - HINGE[1]
            q = np.stack([p[:, 0] * scale[0], HINGE[0] + y * c - z * s, HINGE[1] + y * s + z * c], 1)
            self._add(q + shift, f, tag, p)

    def _glasses(self, head, moved, g):
        p, f = _PARTS["rim"]
        k = 1 + 0.07 * g("glasses_size")
        at = (head.base + moved)[[33, 133, 263, 362]]
        for side, centre in ((-1, at[:2].mean(0)), (1, at[2:].mean(0))):
            q = p * k * [1, 1, 1]
            q = q + [0, 0, 0] - np.array([0, 0, 0.28]) * np.abs(q[:, :1] + side * 1.0)
            self._add(q + centre * [1, 1, 0] + [side * 0.25, -0.25, 5.1], f, GLASSES)
        p, f = _PARTS["bridge"]
        self._add(p * [1.2, 1, 1] + [0, at[:, 1].mean() + 0.1, 6.0 + moved[168, 2]], f, GLASSES)


def beard_mask(x, y, z, skull, g):
    """Beard and moustache density in [0,1] on canonical positions."""
    ax = np.abs(x)
    chin = M.step(-3.2, -5.6, y - 0.055 * ax * ax) * (y > -13) * (z > -3.5) * (1 - 0.6 * skull)
    chin = chin * (1 - 0.95 * np.exp(-((x / 2.3) ** 2) ** 2 - ((y + 4.75) / 0.85) ** 2))
    upper = np.exp(-(((y + 2.95) / 0.45) ** 2)) * M.step(3.1, 2.0, ax) * (z > 3)
    return np.clip(np.maximum(chin * g("beard_amount"), upper * g("moustache") * (g("beard_amount") > 0)), 0, 1)
