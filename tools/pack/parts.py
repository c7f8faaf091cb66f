"""All triangles of a person: the face mesh and hair, ears, neck, torso, the mouth's inside, glasses. Centimetres, canonical frame."""

import numpy as np
import torch

from . import hair as H
from . import mesh as M
from .geometry import HINGE, JAW
from .raster import normals

HAIR, NECK, TORSO, CAVITY, TEETH, TONGUE, EAR_L, EAR_R, GLASSES = 4, 5, 6, 7, 8, 9, 10, 11, 12
# Half widths of the teeth from the middle outwards, which also place the gaps.
TOOTH_EDGES = {"upper": np.cumsum([0, 0.47, 0.38, 0.40, 0.36, 0.34]), "lower": np.cumsum([0, 0.32, 0.33, 0.38, 0.37, 0.34])}


def _neck(a, b):
    t = b * 2 * np.pi
    flare = 1 + 1.1 * M.step(0.5, 1, a)
    front = 4.9 * (1 + 0.3 * M.step(0.6, 1, a)) - 3.2 * M.step(0.60, 0.25, a)
    cord = 0.25 * np.exp(-(((np.abs(np.sin(t)) - 0.55) / 0.25) ** 2)) * (np.cos(t) > 0) * M.step(0.2, 0.5, a)
    return (5.3 * flare + cord) * np.sin(t), -3.0 - a * 10, -3.4 + (front + cord) * np.cos(t)


def _torso(a, b):
    t = b * 2 * np.pi
    width, deep = 5 + 15.5 * M.step(0, 0.35, a) ** 0.8, 4.6 + 3.2 * M.step(0, 0.4, a)
    y = -8.6 - 3.6 * (np.abs(np.sin(t)) ** 1.5) * M.step(0, 0.4, a) - a * 14
    return width * np.sin(t), y, -3.2 + deep * np.cos(t)


def _teeth(jaw, root, edge, front):
    """A row of teeth: rounded fronts, edges that draw in at the gaps."""
    edges = TOOTH_EDGES[jaw]

    def f(a, b):
        x = (b - 0.5) * 2 * edges[-1]
        i = np.clip(np.searchsorted(edges, np.abs(x), "right") - 1, 0, len(edges) - 2)
        at = (np.abs(x) - edges[i]) / (edges[i + 1] - edges[i]) * 2 - 1  # -1..1 over a tooth
        arc = (0.012 if jaw == "upper" else -0.014) * i**2 - 0.05 * (i == 2) + 0.04 * (i == 1)  # canines are longer
        y = root + (edge + arc - root) * a * (1 - (0.10 if jaw == "upper" else 0.05) * np.abs(at) ** 4)
        return x, y, front - 0.225 * x * x - 0.09 * at**2 - 0.12 * a**2 * (jaw == "lower") + 0.08 * np.sin(3 * a)

    return f


def _tongue(a, b):
    t = b * 2 * np.pi
    groove = 0.16 * np.exp(-((a * np.cos(t) / 0.25) ** 2))
    return 1.45 * a * np.cos(t), -4.85 + 0.58 * (1 - a * a) - groove, 3.15 + 1.4 * a * np.sin(t)


def _ear(a, b):
    """Unit ear: x out of the head, y up, z forward, about the attachment; a is the radius, b the turn."""
    t = b * 2 * np.pi
    forward, up = np.cos(t) * a, np.sin(t) * a
    wide = 1.8 * (1 - 0.3 * np.clip(-up, 0, 1))
    rim = M.step(0.55, 0.88, a) - 1.2 * M.step(0.88, 1.0, a)
    out = 0.15 + 0.75 * (0.7 - forward) + 0.35 * rim - 0.45 * M.step(0.7, 0.1, a)
    return out, 3.0 * up - 0.35 * forward, -1.0 + wide * forward


_TURN = lambda a, b: (b * 2 * np.pi, a * 2 * np.pi, 0 * a)
_PARTS = {
    "neck": M.grid(_neck, 24, 97), "torso": M.grid(_torso, 48, 97),
    "upper": M.grid(_teeth("upper", -3.6, -4.78, 4.95), 6, 121), "lower": M.grid(_teeth("lower", -5.4, -4.36, 4.72), 6, 121),
    "tongue": M.grid(_tongue, 8, 25), "ear": M.grid(_ear, 9, 25), "curtain": M.grid(lambda a, b: ((b - 0.5) * 2, a, 0 * a), 24, 161),
    "rim": M.grid(_TURN, 8, 49), "bridge": M.grid(lambda a, b: ((b - 0.5) * 1.6, a * 2 * np.pi, 0 * a), 6, 7),
    "arm": M.grid(lambda a, b: (b, a * 2 * np.pi, 0 * a), 6, 9), "bun": M.grid(H.bun, 15, 25), "cavity": M.grid(_TURN, 10, 81),
}  # fmt: skip


class Person:
    """All triangles of one person.

    `v` [N,3], `normal` [N,3], `canonical` [N,3] (where to look textures up), `hair` and `facial` [N] densities, `f` [T,3], `tag` [T];
    `head_count`: the first vertices are those of the fine head mesh.
    """

    def __init__(self, head, morphable, identity, expression, g):
        i, e = torch.tensor(identity)[None], torch.tensor(expression)[None]
        with torch.no_grad():
            base = morphable.centimetres(i, e)[0].double().numpy()
            rest = morphable.centimetres(i, torch.zeros_like(e))[0].double().numpy()
        moved = rest - head.base
        skin = head.subdivide @ base
        self._lists = [[], [], [], [], [], []]
        self._n = 0
        mask, thick = H.grown(head, g)
        normal = normals(skin, head.faces)
        x, y, z = head.fine.T
        self.beard, self.stubble = H.beard(x, y, z, head.fine_skull, g)
        skin = skin + normal * (0.4 * M.step(0.45, 1, self.beard))[:, None]  # a full beard stands off the skin
        self.head_count = len(skin)
        self._add(skin, head.faces, head.tags, head.fine, mask)
        keep = mask[head.faces].max(1) > 0.02
        if keep.any():
            off = thick * np.sqrt(np.clip((mask - 0.3) / 0.7, 0, 1)) - 0.03
            self._add(skin + normal * off[:, None], head.faces[keep], HAIR, head.fine, mask)
        if g("long") > 0.08 and g("bald") < 0.4:
            p, f = _PARTS["curtain"]
            self._add(H.curtain(p, g, 1 + 0.06 * identity[0]), f, HAIR, hair=1.0)
        if g("bun") > 0.03 and g("bald") < 0.4:
            p, f = _PARTS["bun"]
            self._add(p * [2.9, 2.5, 2.7] + [0, 9.4 + 3.4 * g("bun") + 1.3 * g("top"), -4.6], f, HAIR, hair=1.0)
        for side, vertex, tag in ((1, 454, EAR_L), (-1, 234, EAR_R)):
            p, f = _PARTS["ear"]
            centre = head.base[vertex] + moved[vertex] + [0, 0.9, -0.1]
            self._add(p * [side, 1, 1] + centre - [side * 0.35, 0, 0], f, tag, p)
        p, f = _PARTS["neck"]
        self._add(p * [1 + 0.06 * g("neck"), 1, 1], f, NECK)
        p, f = _PARTS["torso"]
        self._add(p * [1 + 0.07 * g("shoulders"), 1, 1], f, TORSO)
        self._mouth(head, skin, rest, moved, expression)
        if g("glasses") > 0.05:
            self._glasses(head, moved, g)
        self.v, self.f = np.concatenate(self._lists[0]), np.concatenate(self._lists[1]).astype(np.int32)
        self.tag, self.canonical, self.hair = (np.concatenate(a) for a in self._lists[2:5])
        self.normal = np.concatenate(self._lists[5])
        self.facial = np.concatenate([self.beard, np.zeros(self._n - self.head_count)])
        corners = (head.base + moved)[[33, 133, 263, 362]]
        self.eyes = (corners[:2].mean(0), corners[2:].mean(0))  # image left (person's right), image right
        self.eye_size = np.abs(corners[0, 0] - corners[1, 0]) / 2.59
        self.lids = tuple(tuple(skin[a] for a in pair) for pair in ((M.EYE_R_LOWER, M.EYE_R_UPPER), (M.EYE_L_LOWER, M.EYE_L_UPPER)))
        self.lips = skin[M.LIPS_U[3]], skin[M.LIPS_L[3]]

    def _add(self, p, f, tag, canonical=None, hair=0.0):
        values = (
            p, f + self._n, np.broadcast_to(np.asarray(tag, np.int32), len(f)), p if canonical is None else canonical,
            np.broadcast_to(hair, len(p)), normals(p, f),
        )  # fmt: skip
        for part, value in zip(self._lists, values):
            part.append(value)
        self._n += len(p)

    def _mouth(self, head, skin, rest, moved, expression):
        """Teeth and tongue, and a pocket behind the lips that closes the mouth against everything behind it."""
        shift = moved[[13, 14]].mean(0)
        deeper = (moved[M.LIPS_U[3], 2] + moved[M.LIPS_L[3], 2]) / 2  # the row of teeth follows the lips' arch
        at = (rest[M.LIPS_U[3], 0] + rest[M.LIPS_L[3], 0]) / 2
        width = (at[-1] - at[0]) / 4.3
        wide = width * (1 + 0.10 * expression[1] - 0.16 * expression[2])
        for name, tag, follow in (("upper", TEETH, 0), ("lower", TEETH, 0.95), ("tongue", TONGUE, 0.85)):
            p, f = _PARTS[name]
            angle = JAW * expression[0] * follow
            c, s = np.cos(angle), np.sin(angle)
            y, z = p[:, 1] - HINGE[0], p[:, 2] - HINGE[1]
            q = np.stack([p[:, 0] * (wide if tag == TEETH else 1), HINGE[0] + y * c - z * s, HINGE[1] + y * s + z * c], 1)
            lips = np.interp(q[:, 0] + shift[0], at, deeper) if tag == TEETH else shift[2]
            self._add(q + np.stack([0 * y + shift[0], 0 * y + shift[1], 0 * y + lips], 1), f, tag, p)
        _, f = _PARTS["cavity"]
        loop = skin[head.mouth + head.mouth[:1]]
        centre = loop.mean(0)
        a = np.linspace(0, 1, 10)[:, None, None]
        out = loop - centre
        room = np.sign(out) * [0.05, 0.75, 0] * np.clip(a * 8, 0, 1)
        size = np.sqrt(np.clip(1 - a**3, 0, 1))
        q = centre + (out * [1, 1, 1] + room) * size * [1, 1, 0] + (out * [0, 0, 1]) * (1 - a) - a**0.7 * [0, 0, 2.9] - [0, 0, 0.05]
        self._add(q.reshape(-1, 3), f, CAVITY)

    def _glasses(self, head, moved, g):
        k, round_ = 1 + 0.06 * g("glasses_size"), 2 + 2.5 * g("glasses_round")
        tube = (0.05 + 0.16 * g("glasses_rim")) * min(1, g("glasses") * 1.5)
        at = (head.base + moved)[[33, 133, 263, 362]]
        t, s, _ = _PARTS["rim"][0].T
        e = 1 / np.power(np.abs(np.cos(t)) ** round_ + np.abs(np.sin(t)) ** round_ + 1e-6, 1 / round_)
        r = tube * np.cos(s)
        rim = np.stack([(2.3 * k * e + r) * np.cos(t), (1.75 * k * e + r) * np.sin(t), tube * np.sin(s)], 1)
        front = 4.9 + max(0, moved[168, 2])
        for side, centre in ((-1, at[:2].mean(0)), (1, at[2:].mean(0))):
            q = rim - np.array([0, 0, 0.22]) * np.abs(rim[:, :1] + side * 1.0)
            self._add(q + centre * [1, 1, 0] + [side * 0.2, -0.25, front], _PARTS["rim"][1], GLASSES)
            p, f = _PARTS["arm"]
            start = centre * [1, 1, 0] + [side * (0.2 + 2.3 * k), 0.35, front - 0.75]
            end = head.base[454 if side > 0 else 234] + moved[454 if side > 0 else 234] + [side * 0.35, 1.9, -0.3]
            arm = start + (end - start) * p[:, :1] + np.stack([0 * p[:, 1], np.cos(p[:, 1]), np.sin(p[:, 1])], 1) * max(tube, 0.02)
            self._add(arm, f, GLASSES)
        p, f = _PARTS["bridge"]
        gap = max(0.5, (at[3, 0] - at[1, 0]) / 2 - 0.6)
        q = np.stack([p[:, 0] * gap * 1.3, tube * np.cos(p[:, 1]) + 0.3 * (1 - p[:, 0] ** 2), tube * np.sin(p[:, 1])], 1)
        self._add(q + [0, at[:, 1].mean(), front + 0.35], f, GLASSES)
