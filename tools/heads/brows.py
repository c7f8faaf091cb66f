"""Eyebrows as strands on the skin above the eyes, which follow its moves."""

import numpy as np

from . import params as P
from .scalp import F, Roots, scatter, step

COUNT, POINTS = 2400, 6


class Brows:
    def __init__(self, head):
        v, faces = np.asarray(head.neutral_fine, np.float64), np.asarray(head.fine_faces)[head.fine_part == 0]
        ax = np.abs(v[:, 0])
        weight = (ax > 0.5) & (ax < 6.4) & (np.abs(v[:, 1] - 4.45 + 0.035 * (ax - 3.6) ** 2) < 0.85) & (v[:, 2] > 0.5)
        rng = np.random.default_rng(21)
        self.roots = Roots(v, faces, *scatter(rng, v, faces, weight.astype(float), COUNT))
        self._r = rng.random((COUNT, 4)).astype(F)

    def strands(self, p, fine):
        """points [n,k,3], radius [n], cover [n]."""
        g = lambda name: float(p[P.SLOT[name]][0])
        q, r = self.roots.neutral, self._r
        side, ax, y = np.sign(q[:, 0]), np.abs(q[:, 0]), q[:, 1]
        along = np.clip((ax - 1.0) / 4.7, 0, 1)
        peak = 0.13 * np.clip(g("brow_arch"), -2, 2)
        middle = 4.12 + 0.62 * np.sin(np.clip(along * 1.25, 0, 1.25) * np.pi * 0.62) - 0.5 * step(0.62, 1.05, along) + 0.10 * np.clip(g("brow_tilt"), -2, 2) * (along - 0.5)
        middle = middle + peak * np.exp(-(((along - 0.62) / 0.22) ** 2)) - 0.5 * peak
        half = (0.17 + 0.24 * g("brow_width")) * (0.75 + 0.5 * step(0, 0.25, along)) * (1 - 0.62 * step(0.45, 1.0, along))
        off = (y - middle) / half
        here = step(1.25, 0.55, np.abs(off)) * step(0.7, 1.7, ax) * step(5.95, 5.0, ax)
        seen = step(r[:, 0] - 0.12, r[:, 0] + 0.12, here * (0.62 + 0.75 * g("brow_strength")))
        # inner hairs stand up, then they lie outwards; upper ones lean down, lower ones up
        turn = 1.25 * step(0.30, 0.0, along) - 0.42 * np.clip(off, -1, 1) - 0.38 * step(0.5, 1.0, along) + 0.25 * (r[:, 1] - 0.5) + 0.15
        length = (0.55 + 0.35 * r[:, 2]) * (0.85 + 0.25 * g("brow_width")) * (1 - 0.35 * step(0.6, 1, along)) * (0.5 + 0.5 * seen)
        d = np.stack([np.cos(turn) * side, np.sin(turn), 0 * turn], 1)
        n = self.roots.normal
        d -= n * (d * n).sum(1, keepdims=True)
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        t = np.linspace(0, 1, POINTS, dtype=F)[None, :, None]
        s = t * length[:, None, None]
        bend = np.stack([side * 0.25, -0.18 * np.sign(turn), 0 * turn], 1)[:, None] * t * s
        offset = d[:, None] * s + n[:, None] * (0.02 + 0.22 * s * (1 - 0.75 * t)) + bend * 0.6
        offset = np.einsum("nij,nkj->nki", self.roots.turn(fine), offset)
        radius = (0.015 + 0.014 * g("brow_strength")) * (0.7 + 0.6 * r[:, 3])
        return (self.roots.at(fine)[:, None] + offset).astype(F), radius * seen, seen * (0.45 + 0.5 * g("brow_strength"))
