"""Beard, moustache and stubble as strands on the skin of the lower face, which follow its moves."""

import numpy as np

from . import params as P
from .scalp import F, Roots, scatter, step

COUNT, POINTS = 14000, 9


def regions(q):
    """Where a beard grows at points q [n,3] of the neutral head, each [n] in [0,1]: chin and jaw, cheeks, upper lip."""
    x, y, z = q.T
    ax = np.abs(x)
    line = np.interp(ax, [0, 2.6, 3.4, 4.6, 5.8, 6.8, 7.4], [-5.4, -4.7, -3.9, -3.4, -2.3, -0.2, 0.8])  # the upper edge on the cheek
    under = np.interp(z, [-6, -3, 1, 5], [-5.4, -7.8, -10.4, -10.6])  # the lower edge on the throat
    area = step(0.55, -0.75, y - line) * step(-0.7, 0.8, y - under) * step(-4.6, -3.6, z)
    area = area * (1 - step(1.0, 0.72, ((x / 2.9) ** 2 + ((y + 4.55) / 1.15) ** 2) ** 0.5))
    bare = 1 - 0.85 * np.exp(-(((ax - 1.55) / 0.55) ** 2) - ((y + 5.75) / 0.5) ** 2)  # beside the soul patch
    chin = area * bare * step(5.2, 3.0, ax + 0.25 * np.maximum(y + 6.5, 0))
    lip = step(-3.95, -3.55, y + 0.10 * ax) * step(-2.35, -2.95, y + 0.12 * ax) * step(3.3, 2.5, ax) * step(2.2, 3.6, z)
    corner = np.exp(-(((ax - 3.0) / 0.55) ** 2) - ((y + 4.5) / 1.3) ** 2) * (z > 2)
    return np.maximum(chin, 0.5 * corner * area), area * bare * step(2.2, 4.2, ax), np.maximum(lip, 0.4 * corner)


class Beard:
    def __init__(self, head):
        v, faces = np.asarray(head.neutral_fine, np.float64), np.asarray(head.fine_faces)[head.fine_part == 0]
        weight = np.max(regions(v) * np.array([[1.0], [1.0], [1.7]]), 0) * (1 - np.asarray(head.masks["lips"]) > 0.5 if "lips" in getattr(head, "masks", {}) else 1)
        weight = weight * ((v[:, 2] > -5) & (v[:, 1] > -11.5))
        rng = np.random.default_rng(22)
        self.roots = Roots(v, faces, *scatter(rng, v, faces, weight, COUNT))
        self._r = rng.random((COUNT, 6)).astype(F)
        self._regions = regions(self.roots.neutral)
        # neighbours lie alike
        self._lean = np.stack([np.sin(self.roots.neutral @ a + b) for a, b in (((1.3, 0.7, 0.4), 0), ((-0.8, 1.1, 0.9), 2), ((2.9, -1.7, 1.3), 1))], 1)

    def strands(self, p, fine):
        """points [n,k,3], radius [n], cover [n]."""
        g = lambda name: float(p[P.SLOT[name]][0])
        q, r, n = self.roots.neutral, self._r, self.roots.normal
        chin, cheek, lip = self._regions
        side, ax = np.tanh(q[:, 0] * 2), np.abs(q[:, 0])
        grown = lambda amount: 0.10 + 0.55 * amount + 4.2 * amount**3
        # how much there is (density) and how long it is
        dense = np.max([chin * step(0.02, 0.45, g("chin_beard")), cheek * step(0.02, 0.5, g("cheek_beard")), lip * step(0.02, 0.4, g("moustache")), np.maximum.reduce([chin, cheek, lip]) * 0.75 * step(0, 0.5, g("stubble"))], 0)
        length = np.max([chin * grown(g("chin_beard")), cheek * (0.08 + 0.5 * g("cheek_beard") + 1.0 * g("cheek_beard") ** 3), lip * (0.08 + 0.65 * g("moustache") + 0.5 * g("moustache") ** 3)], 0)
        length = (0.05 + 0.13 * g("stubble")) + length * step(0.02, 0.3, np.max([g("chin_beard") * (chin > 0), g("cheek_beard") * (cheek > 0), g("moustache") * (lip > 0)], 0))
        length = length * (0.6 + 0.6 * r[:, 1]) * (0.55 + 0.45 * dense)
        seen = step(r[:, 0] - 0.1, r[:, 0] + 0.1, dense * 1.12) * step(0, 0.04, dense)
        down = np.stack([side * 0.12 + 0.25 * self._lean[:, 0], -1 + 0 * ax, 0.10 + 0.12 * self._lean[:, 1]], 1)
        across = np.stack([side * (0.75 + 0 * ax), -0.72 - 0.18 * ax, 0.15 + 0 * ax], 1)
        d = down + (lip * (1 - 0.3 * chin))[:, None] * (across - down) + 0.30 * (r[:, 2:5] - 0.5)
        d -= n * (d * n).sum(1, keepdims=True) * 0.9
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        t = np.linspace(0, 1, POINTS, dtype=F)[None, :, None]
        s = t * length[:, None, None]
        curl = 0.10 * np.clip(length, 0, 1.5)[:, None, None] * np.sin(s * 3.2 + 6.28 * r[:, 5:6, None] + np.array([0, 1.6, 3.0])) * t
        offset = d[:, None] * s + n[:, None] * (0.01 + 0.55 * s * (1 - 0.55 * t)) + curl + np.array([0, -0.12, 0]) * s * s
        offset = np.einsum("nij,nkj->nki", self.roots.turn(fine), offset)
        radius = (0.010 + 0.010 * step(0.1, 0.8, length)) * (0.7 + 0.6 * r[:, 4])
        return (self.roots.at(fine)[:, None] + offset).astype(F), radius * seen, seen * (0.5 + 0.45 * step(0.1, 0.6, length))
