"""Skin at visible points: colour, fine relief, sheen. Where things lie is said in centimetres of the neutral head."""

import numpy as np

from . import params as P
from .light import linear
from .native import cells, noise

F = np.float32
BLOOD = np.array([0.04, -0.20, -0.15], F)  # what more blood under the skin does to each channel


def step(a, b, x):
    """Smooth step from 0 at `a` to 1 at `b`, for either order of a and b."""
    t = np.clip((x - a) / (b - a), 0, 1).astype(F)
    return t * t * (3 - 2 * t)


def blob(x, y, cx, cy, sx, sy):
    return np.exp(-(((x - F(cx)) * F(1 / sx)) ** 2) - ((y - F(cy)) * F(1 / sy)) ** 2)


def curve(x, y, points, width):
    """A stroke of Gauss profile along a polyline [(x, y), …], thinner towards its ends."""
    a = np.array(points, F)
    nearest, along = np.full(len(x), 1e9, F), np.zeros(len(x), F)
    for i in range(len(a) - 1):
        d = a[i + 1] - a[i]
        t = np.clip(((x - a[i, 0]) * d[0] + (y - a[i, 1]) * d[1]) / F(d @ d), 0, 1)
        r = (x - a[i, 0] - t * d[0]) ** 2 + (y - a[i, 1] - t * d[1]) ** 2
        closer = r < nearest
        nearest, along = np.where(closer, r, nearest), np.where(closer, (i + t) / (len(a) - 1), along)
    return np.exp(-nearest * F(1 / width**2)) * np.clip(5 * along, 0, 1) * np.clip(5 * (1 - along), 0, 1)


def wrinkles(c, wobble):
    """Depth of an old face's lines in [0,1] at neutral points c [n,3]."""
    x, y, z = c.T
    ax, front = np.abs(x), step(0.5, 3, z)
    out = np.zeros(len(c), F)
    for line, tall in ((5.6, 0.7), (6.5, 1.0), (7.4, 0.9)):
        out += tall * np.exp(-(((y - line + F(0.22) * wobble + F(0.012) * x * x) * F(1 / 0.11)) ** 2)) * np.exp(-((x / F(4.2)) ** 4))
    out += 0.8 * curve(ax, y, [(0.55, 3.7), (0.68, 4.5), (0.75, 5.2)], 0.10)
    for end in ((6.2, 3.3), (6.4, 2.5), (6.1, 1.7)):
        out += 0.7 * curve(ax, y + F(0.08) * wobble, [(4.9, 2.4), ((4.9 + end[0]) / 2, (2.4 + end[1]) / 2 + 0.05), end], 0.08)
    out += 1.4 * curve(ax, y, [(1.9, -1.1), (2.5, -2.0), (3.1, -3.2), (3.45, -4.6)], 0.16)
    out += 0.9 * curve(ax, y, [(2.9, -4.9), (3.1, -5.8), (3.0, -6.9)], 0.13)
    out += 0.8 * curve(ax, y, [(1.7, 1.6), (2.4, 1.05), (3.4, 0.9), (4.4, 1.3)], 0.12)
    for k, start in enumerate((0.3, 0.9, 1.5)):
        out += 0.25 * curve(ax, y, [(start, -2.6), (start * 1.06, -3.4)], 0.05)
    return out * front


class Skin:
    """Of the skin's visible points [n]: `albedo` [n,3] linear, `height` centimetres, `rough`, `sheen`, `lip` in [0,1]."""

    def __init__(self, p, c, masks):
        g = lambda name: np.asarray(p[P.SLOT[name]], F)
        one = lambda name: F(p[P.SLOT[name]][0])
        x, y, z = np.ascontiguousarray(c.T)
        ax, front = np.abs(x), step(0.5, 3.0, z)
        age = one("wrinkles")
        base = np.maximum(linear(g("skin")), 0.005)
        dark = F(1 - np.clip(base.mean() / 0.35, 0, 1))  # dark skin shows less of its blood
        mottled, melanin = noise(c, 0.9, 3, 0.6), noise(c + F(40), 0.7, 4, 0.7)
        fine = noise(c, 5.5, 2, 0.7)
        lip_line = masks["lips"] + F(0.05) * noise(c, [3.5, 1.2, 2], 1)
        lip = step(0.12, 0.85, lip_line)
        # blood: nose, cheeks, chin, ears, knuckles of the face; less where bone lies under the skin
        cheeks = blob(ax, y, 4.1, -1.0, 2.0, 1.7) * front
        nose = blob(x, y, 0, -1.4, 1.5, 1.0) * front
        blood = (0.30 + 1.0 * one("flush")) * (0.75 * cheeks + 0.65 * nose + 0.30 * blob(x, y, 0, -7.2, 1.6, 1.0) * front)
        blood += 0.55 * masks["ears"] + 0.30 * masks["lids"] + 0.22 * mottled - 0.25 * blob(x, y, 0, 7.0, 5, 2.0) * front
        blood += 0.5 * blob(ax, y, 1.65, -1.95, 0.45, 0.5) * front + 0.18 * fine * (0.4 + one("flush"))
        albedo = base * np.exp((1 - F(0.55) * dark) * blood[:, None] * BLOOD)
        shade = F(0.055) * melanin + F(0.025) * fine
        shade -= (0.10 + 0.25 * age) * (blob(ax, y, 2.7, 1.05, 1.3, 0.55) + 0.5 * blob(ax, y, 1.6, 2.2, 0.6, 0.9)) * front  # under the eyes
        shade -= 0.10 * masks["lids"]
        albedo *= np.exp(shade[:, None] * np.array([0.8, 1.0, 0.95], F) * (1 + dark))
        if one("freckles") > 0.003 or age > 0.3:
            where = front * np.exp(-(((y + 0.2) / 3.0) ** 2)) + 0.12
            spots = np.zeros(len(c), F)
            for scale, share, most in ((4.6, 0.35, 0.55), (2.7, 0.5, 0.85)):
                near, number = cells(c + F(0.05) * fine[:, None], scale)
                spots += step(0.20 + 0.3 * number, 0.02, near) * step(share, 1.0, number) * F(most) * one("freckles") * where
            wide, which = cells(c, 1.3)
            spots += step(0.30, 0.08, wide) * step(0.75, 0.95, which) * F(0.45) * np.maximum(age - F(0.3), 0)
            albedo *= np.exp(-spots[:, None] * np.array([0.35, 0.62, 0.80], F))
        lines = wrinkles(c, noise(c, 0.35, 2))
        albedo *= np.exp(-(F(0.22) * age**1.5 * lines)[:, None] * np.array([0.8, 1.0, 1.0], F))
        # shaved beard: the roots' shadow, cool and uneven
        beard = self._beard_area(x, y, z) * one("stubble") * (1 - lip)
        roots = np.clip(0.6 + 0.22 * noise(c, 11.0, 1), 0, 1)
        albedo *= np.exp(-(F(0.65) * beard * roots)[:, None] * np.array([1.10, 0.88, 0.70], F) * (1 - F(0.4) * dark))
        self._make_up(g, one, x, y, ax, front, albedo, cheeks)
        # lips: darker lines down them, darker and wetter towards the inside
        down = noise(c, [5.0, 0.8, 1.5], 2, 0.6)
        tint = linear(g("lips")) * np.exp(F(0.09) * down + F(0.06) * mottled)[:, None]
        tint += F(0.25) * (albedo * np.array([0.74, 0.50, 0.60], F) - tint)  # no lip is one colour: some of the skin's own shows
        albedo += (F(0.90) * lip)[:, None] * (tint - albedo)
        albedo *= np.exp(-F(0.7) * masks["mouth_inside"] * np.array([[0.5], [1.1], [1.0]], F)).T
        self.albedo, self.lip = np.clip(albedo, 0.003, 0.95).astype(F), lip
        pores = 0.4 + 1.0 * one("pores")
        t_zone = blob(x, y, 0, -0.5, 2.0, 2.5) + 0.6 * blob(x, y, 0, 6.5, 3.5, 2.0) + 0.5 * cheeks
        relief = (F(0.0022) * fine + F(0.0026) * noise(c + F(7), 12.0, 1)) * pores * (F(0.5) + F(0.6) * t_zone) + F(0.006) * mottled * (F(0.3) + age)
        neck = step(-9.5, -11.5, y) * front
        relief -= F(0.02) * age * neck * np.maximum(noise(c, [0.25, 1.3, 0.25], 2), 0)
        relief -= F(0.055) * age**1.5 * lines
        self.height = relief * (1 - lip) + lip * F(0.0075) * down
        self.rough = F(0.46) - F(0.07) * np.clip(t_zone, 0, 1) * front + F(0.03) * fine
        gloss = 0.25 + 0.75 * one("lip_gloss")
        self.rough = self.rough * (1 - lip) + lip * (F(0.42) - F(0.16) * gloss)
        sheen = (F(0.45) + F(0.65) * one("gloss")) * (F(0.70) + F(0.55) * np.clip(t_zone, 0, 1) * front) * (1 - F(0.35) * beard) * (1 - F(0.35) * dark)
        self.sheen = np.maximum((sheen * (1 - lip) + lip * (F(0.7) + F(1.1) * gloss)) * (1 + F(0.22) * fine), 0)

    @staticmethod
    def _beard_area(x, y, z):
        ax = np.abs(x)
        top = F(-2.2) - F(0.9) * step(1.4, 3.2, ax) + F(2.4) * step(3.6, 6.4, ax)  # its upper edge: moustache, cheek, to the ears
        area = step(0.5, -0.9, y - top) * step(-13.0, -9.5, y) * step(-2.0, 0.5, z)
        return area * (1 - F(0.5) * blob(ax, y, 3.6, -3.2, 0.8, 1.2))

    @staticmethod
    def _make_up(g, one, x, y, ax, front, albedo, cheeks):
        shadow = one("shadow_amount") * front * (blob(ax, y, 3.1, 3.5, 1.8, 0.62) + 0.4 * blob(ax, y, 3.3, 1.85, 1.3, 0.28)) * F(0.7)
        albedo += np.clip(shadow, 0, 0.85)[:, None] * (linear(g("shadow")) - albedo)
