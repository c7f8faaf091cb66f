"""Teeth, gums, tongue and the mouth's inside at visible points."""

import numpy as np

from . import params as P
from .native import noise
from .skin import step

F = np.float32
# Widths of teeth from the middle outwards, centimetres of the mean head: upper and lower.
WIDTHS = {True: (0.92, 0.72, 0.82, 0.74, 0.72, 1.0, 1.0), False: (0.58, 0.64, 0.74, 0.74, 0.76, 1.1, 1.1)}


class Teeth:
    """Of one row's visible points at neutral positions c [n,3]: `albedo`, `height` (centimetres of relief), `rough`."""

    def __init__(self, p, c, upper, biting, neck):
        """`biting` and `neck`: heights (y) of the row's edge and of where it meets the gums."""
        g = F(p[P.SLOT["teeth"]][0])
        x, y, z = np.ascontiguousarray(c.T)
        front = F(4.3)
        along = np.abs(x) + F(0.42) * np.maximum(front - z, 0) * step(1.2, 2.6, np.abs(x))  # along the arch
        edges = np.cumsum((0,) + WIDTHS[upper]).astype(F)
        which = np.clip(np.searchsorted(edges, along) - 1, 0, len(edges) - 2)
        middle, half = (edges[which] + edges[which + 1]) / 2, (edges[which + 1] - edges[which]) / 2
        t = (along - middle) / half  # across one tooth, -1 … 1
        gap = step(0.86, 1.0, np.abs(t))
        down = (y - F(neck)) / F(biting - neck)  # 0 at the gum, 1 at the edge
        scallop = F(0.16) - F(0.20) * t * t
        gum = step(0.10, -0.02, down - scallop + F(0.10))
        enamel = np.array([0.84, 0.765, 0.64], F) * np.array([1, 1 - 0.05 * (1 - g), 1 - 0.24 * (1 - g)], F) * (F(0.80) + F(0.20) * g)
        own = np.sin(which * 12.9 + (x > 0) * 4.1).astype(F)  # every tooth a little its own
        albedo = enamel * (1 + F(0.035) * own - F(0.10) * step(2.0, 3.0, along))[:, None]
        albedo = albedo * np.exp(-(F(0.22) * step(0.45, 0.0, down))[:, None] * np.array([0.4, 0.9, 1.5], F))  # darker, yellower at the neck
        albedo *= np.exp(-(F(0.4) * gap * (1 - gum))[:, None] * np.array([0.8, 1.1, 1.2], F))
        pink = np.array([0.52, 0.20, 0.18], F) * np.exp(F(0.10) * noise(c, 3.0, 2))[:, None]
        self.albedo = (albedo + gum[:, None] * (pink - albedo)).astype(F)
        self.height = F(0.055) * (1 - t**4) * (1 - gum) + F(0.03) * gum
        self.rough = F(0.22) + F(0.08) * gum


def soft_parts(c, tongue):
    """Albedo, height and roughness of the tongue, or else of the mouth's lining, at neutral positions c [n,3]."""
    bumps = noise(c, 7.0 if tongue else 2.0, 2, 0.6)
    base = np.array([0.46, 0.17, 0.155] if tongue else [0.30, 0.085, 0.075], F)
    furrow = np.exp(-((c[:, 0] / F(0.22)) ** 2)) * F(0.35 if tongue else 0)
    return (base * np.exp(F(0.08) * bumps - furrow)[:, None]).astype(F), F(0.008) * bumps, np.full(len(c), F(0.34))
