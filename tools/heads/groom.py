"""A person's hair as strands: scalp, brows and beard, from the texture's parameters. Centimetres, head's frame."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from . import params as P
from . import strands as S
from .beard import Beard
from .brows import Brows
from .scalp import CENTRE, F, Roots, Space, edges, scatter, step

COUNT, CLUMPS, GROWN = 22000, 850, 26
CROWN = np.array([0.6, 12.4, -9.5])
HAIR, BROW, BEARD = range(3)


def length_of(t):
    """Centimetres of a strand of length parameter t."""
    return 0.04 + 36 * np.clip(t, 0, 1.1) ** 2.2


def columns(*values):
    return np.stack(np.broadcast_arrays(*values), 1)


@dataclass
class Strands:
    """Strands of one kind: points [n,k,3], radius [n] centimetres, cover [n] in [0,1] (how much of its width a strand hides), variation [n,2]."""

    kind: int
    points: np.ndarray
    radius: np.ndarray
    cover: np.ndarray
    variation: np.ndarray


class Groom:
    """Fixed roots on a `Head`; `strands(p, rest, fine)` gives a person's hair."""

    def __init__(self, head):
        v, faces = np.asarray(head.neutral_fine, np.float64), np.asarray(head.fine_faces)[head.fine_part == 0]
        self._space = Space(head)
        front, low = edges(v, 0)
        ear = (np.abs(v[:, 0]) > 7.45) & (v[:, 1] < 4.2) & (v[:, 1] > -4) & (v[:, 2] > -9.5)
        weight = (np.minimum(front, low) > -0.9) & ~ear & (v[:, 1] > -7) & (v[:, 2] > -17)
        rng = np.random.default_rng(20)
        self.roots = Roots(v, faces, *scatter(rng, v, faces, weight.astype(float), COUNT))
        self._r = rng.random((COUNT, 8)).astype(F)
        q = self.roots.neutral
        leads = rng.choice(COUNT, CLUMPS, replace=False)
        self._clump = leads[cKDTree(q[leads]).query(q)[1]]
        self._brows, self._beard = Brows(head), Beard(head)

    def strands(self, p, rest, fine):
        """List of `Strands` of parameters p [D]; rest [M,3]: the person's fine vertices without an expression, fine: with it."""
        out = [self._scalp(p, rest)]
        for kind, part in ((BROW, self._brows), (BEARD, self._beard)):
            points, radius, cover = part.strands(p, fine)
            out.append(Strands(kind, points, radius, cover, part._r[:, :2]))
        return out

    def coat(self, p, q):
        """How much of the hair's colour the skin at points q [n,3] of the neutral head takes, in [0,1]."""
        g = lambda name: float(p[P.SLOT[name]][0])
        return self._dense(g, q) * (0.16 + 0.79 * step(0.02, 0.2, max(g("top"), g("sides"), g("back")))) * (0.5 + 0.5 * step(0, 2.5, np.minimum(*edges(q, g("recede")))))

    @staticmethod
    def _dense(g, q):
        x, y, z = q.T
        front, low = edges(q, g("recede"))
        ragged = 0.35 * np.sin(2.3 * x + 1.1 * y) + 0.25 * np.sin(5.1 * x - 3.7 * z)  # no hairline is a drawn line
        dense = step(-0.7, 2.1, front + ragged) ** 1.3 * step(-0.9, 1.6, low + 0.6 * ragged)
        crown = np.exp(-((x / 5.2) ** 2) - ((z + 7.0) / 6.0) ** 2) * step(6.5, 9.5, y)
        over = step(4.9, 9.2, y)
        bald = np.clip(g("bald"), 0, 1)
        return dense * (1 - bald * np.maximum(over * step(0.3, 1.0, bald), crown * step(0, 0.7, bald)))

    def _scalp(self, p, rest):
        g = lambda name: float(p[P.SLOT[name]][0])
        q, n, r = self.roots.neutral, self.roots.normal, self._r
        x, y, z = q.T
        volume, fringe, sweep, part, curl, wave = (g(a) for a in ("volume", "fringe", "sweep", "part", "curl", "wave"))
        front, low = edges(q, g("recede"))
        edge = np.minimum(front, low)
        dense = self._dense(g, q)
        seen = step(r[:, 0] - 0.15, r[:, 0] + 0.15, dense * 1.15) * step(0, 0.05, dense)
        on_top, back = step(4.4, 10.0, y), step(-6.5, -11.0, z)
        t = g("top") * on_top + (1 - on_top) * (g("sides") * (1 - back) + g("back") * back)
        length = length_of(t)
        short = step(9.0, 2.5, length)
        length = length * (1 - short * 0.65 * step(3.0, 0.0, low))  # short hair fades towards the nape and the ears
        length = length * (0.80 + 0.26 * r[:, 1]) * (0.55 + 0.45 * step(-0.3, 1.2, edge))
        # caps and scarves press hair down or hide it
        hidden = np.maximum(step(0.05, 0.5, g("cap")) * step(5.5, 8.0, y), step(0.05, 0.4, g("scarf")))
        length = length * (1 - 0.97 * hidden)
        seen = seen * (1 - hidden)
        # which way it lies at the root
        afro = step(0.42, 0.95, volume * curl)
        direction = q - CROWN
        unit = lambda a: a / (np.linalg.norm(a, axis=1, keepdims=True) + 1e-6)
        flat = lambda a: unit(a - n * (a * n).sum(1, keepdims=True))
        direction = flat(direction)
        bang = (1 - hidden) * fringe * step(-4.5, -1.0, z) * step(6.5, 8.5, y) * step(6.8, 5.0, np.abs(x))
        front_top = step(-9, -2, z) * on_top
        parted = step(0.40, 0.62, g("top")) * (1 - 0.95 * bang) * (1 - np.abs(np.clip(sweep, -1, 1))) * step(-11.5, -7.5, z) * on_top
        short_part = step(0.25, 0.40, g("top")) * step(0.1, 0.5, abs(part)) * front_top * 0.7 * (1 - bang)
        line = x - 3.4 * part - 0.12 * np.sin(1.9 * z)
        way = np.tanh(line / (0.14 + 1.6 * step(0.62, 0.40, g("top"))))
        sideways = flat(np.stack([way * (1.0 + 0 * x), -0.15 + 0 * x, -0.42 + 0 * x], 1))
        share = np.maximum(parted, short_part)[:, None]
        direction = direction + share * (sideways - direction)
        to_back = flat(np.stack([0.10 * x, 0.15 + 0 * x, -1 + 0 * x], 1))
        share = (np.clip(sweep, 0, 1) * np.maximum(on_top, step(-8, -3, z)))[:, None]
        direction = direction + share * (to_back - direction)
        to_front = flat(np.stack([-0.10 * x - 0.25 * part, -0.2 + 0 * x, 1 + 0 * x], 1))
        share = np.maximum(bang, np.clip(-sweep, 0, 1) * front_top)[:, None]
        direction = direction + share * (to_front - direction)
        temple = (step(-5, -1.5, z) * step(10, 7.5, y) * (1 - bang) * (1 - 0.5 * step(8, 16, length)))[:, None]
        direction = direction + temple * (flat(np.stack([0 * x, -0.75 + 0 * x, -0.75 + 0 * x], 1)) - direction)
        nape = (step(0.5, -4, y) * back)[:, None]
        direction = direction + nape * (flat(np.stack([-0.12 * x, -1 + 0 * x, 0 * x], 1)) - direction)
        direction = direction + (0.12 + 0.45 * step(0.6, 0.15, length))[:, None] * (r[:, 2:5] - 0.5) * (1 + afro)
        # a fringe ends over the brows, longer at its sides
        reach = 4.2 + 1.05 * np.maximum(3.4 - z, 0) + 0.20 * np.maximum(np.abs(x) - 2.5, 0) + 0.8 * (y - 9.5) + 0.9 * (r[:, 1] - 0.5) + 0.25 * np.sin(3 * x + 1)
        length = length + bang * (np.clip(reach, 2.0, 9) * step(0.05, 0.6, fringe) - length)
        # tied hair goes to one point and falls from there
        height = g("tie_height")
        tie = np.array([0, np.interp(height, [0, 0.5, 1], [-0.5, 5.5, 13.6]), np.interp(height, [0, 0.5, 1], [-14.6, -17.2, -12.6])])
        direction = flat(direction)
        tied = step(0, 0.3, g("tied") * 1.3 - (1 - np.clip((y + 5) / 15, 0, 1))) * (1 - bang)
        away = np.linalg.norm(q - tie, axis=1)
        length = length + tied * (away * 1.22 + 1.0 + 0.5 * length_of(g("back")) * (0.75 + 0.35 * r[:, 1]) - length)
        direction = direction + tied[:, None] * (flat(tie - q) - direction)
        stand = (0.28 + 0.55 * volume) * (1 - 0.7 * step(7, 18, length)) + 1.2 * step(2.2, 0.4, length) * (1 - 0.75 * step(1.2, -0.6, edge)) + 0.25 * bang
        lift = stand * (1 - 0.85 * tied) + afro * 4.0
        layer = 0.06 + (0.16 + 0.75 * volume) * (0.15 + 0.85 * r[:, 5]) * step(1.0, 9.0, length) + 0.10 * wave * r[:, 5]
        about = columns(
            length, lift, layer * (1 - 0.4 * bang), (0.20 + 0.10 * step(4, 10, length)) * (1 - 0.97 * afro) * (1 - 0.55 * curl) * (1 - 0.7 * tied) * step(0.3, 3.0, length),
            (1 - bang) * step(3.0, 7.0, length) * (1 - afro), g("behind_ears") * (1 - tied) * step(3, 8, length) * step(-9.5, -6.5, z), tied, 0.6 + 3.2 * volume * step(18, 6, length) + 1.0 * fringe,
        )  # fmt: skip
        grown = S.grow(q, direction, about, GROWN, self._space.distance, tie)
        small = step(0.8, 6.0, length)
        free = 1 - 0.85 * tied
        radius_curl = (0.62 * curl * (1 - 0.55 * afro)) * step(0.4, 4, length)
        turns = (1.55 + 3.4 * afro + 0.6 * step(8, 3, length)) * (0.9 + 0.2 * r[:, 6])
        shape = columns(
            np.clip(0.25 + 0.70 * g("clump"), 0, 0.95) * small * (1 - 0.45 * afro), 1.05 * wave * step(3, 12, length) * free, radius_curl * free, turns,
            (0.05 + 0.42 * g("frizz")) * (0.25 + 0.75 * step(1, 10, length)) * (0.3 + 1.4 * r[:, 7] ** 2) * (1 + 1.0 * afro) * (1 - 0.6 * tied), length,
        )  # fmt: skip
        points = S.style(grown, self._clump, shape, 26 if curl < 0.03 else 64, CENTRE)
        S.warp(points, self._space.moved(rest))
        gap = self.roots.at(rest) - points[:, 0]
        along = np.linspace(0, 1, points.shape[1])[None, :, None] * length[:, None, None]
        points += (gap[:, None] * np.exp(-along / 3)).astype(F)
        radius = (0.011 + 0.010 * step(0.5, 6, length) + 0.003 * curl) * (0.7 + 0.6 * r[:, 6]) * (0.45 + 0.55 * step(-0.3, 1.6, edge))
        present = step(0.0, 0.10, t)
        cover = seen * (0.35 + 0.65 * step(0.2, 3.0, length)) * (0.5 + 0.5 * step(-0.2, 1.6, edge)) * (0.25 + 0.75 * present)
        return Strands(HAIR, points, (radius * seen).astype(F), cover, r[:, 2:4])
