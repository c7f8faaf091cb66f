"""Eyes at visible points: white with veins, iris behind a cornea, pupil, limbus, tear line and reflections."""

import numpy as np

from . import params as P
from .light import linear
from .native import noise
from .skin import step

F = np.float32
IRIS, PUPIL = F(0.63), F(0.36)  # radius of the iris in centimetres of the mean head, of the pupil in irises
DEEP = F(0.20)  # how far the iris lies behind the cornea's rim, in irises


class Eyes:
    """Of one eye's visible points q [n,3]: `albedo`, `normal` (the cornea's), `glow` (light added), `wet` reflectivity."""

    def __init__(self, p, q, view, centre, radius, gaze, inner, light):
        """`inner`: +1 where the nose lies towards +x."""
        g = lambda name: np.asarray(p[P.SLOT[name]], F)
        out = ((q - F(centre)) / F(radius)).astype(F)
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        gaze = np.asarray(gaze, F) / F(np.linalg.norm(gaze))
        right = np.cross(np.array([0, 1, 0], F), gaze)
        right /= np.linalg.norm(right)
        up = np.cross(gaze, right)
        rim = F(min(IRIS / radius, 0.7))  # sine of the iris's half angle
        a, b = out @ right / rim, out @ up / rim
        facing = out @ gaze
        r = np.where(facing > 0, np.hypot(a, b), F(9))
        # the iris lies behind the cornea: seen from aside it moves against the view
        bulge = np.clip(1 - r * r, 0, 1)
        across = np.stack([view @ right, view @ up], 1) / np.maximum(view @ gaze, F(0.35))[:, None]
        ia, ib = a - DEEP * bulge * across[:, 0], b - DEEP * bulge * across[:, 1]
        ir = np.hypot(ia, ib)
        turn = np.stack([ia / np.maximum(ir, 1e-4), ib / np.maximum(ir, 1e-4)], 1)
        side = np.full(len(q), F(inner * 11), F)
        ring = lambda k, tall: noise(np.stack([turn[:, 0] * k, turn[:, 1] * k, ir * tall + side], 1), 1.0, 2, 0.6)
        fibres, coarse = ring(7.0, 1.6), ring(2.5, 1.0)
        iris = np.maximum(linear(g("iris")), 0.004)
        collar = np.exp(-(((ir - F(0.50) - F(0.04) * coarse) / F(0.13)) ** 2))
        tone = F(0.85) * np.exp(F(0.36) * fibres + F(0.16) * coarse)
        colour = iris * tone[:, None]
        warm = np.array([1.35, 1.02, 0.60], F) * (iris.mean() * 0.8 + F(0.02))
        colour += (F(0.40) * collar)[:, None] * (warm * tone[:, None] - colour)
        colour *= (1 - F(0.72) * step(0.66, 1.0, ir))[:, None]  # the dark ring
        opposite = -(ia * (light.direction @ right) + ib * (light.direction @ up))
        colour *= (F(1.25) + F(0.55) * np.clip(opposite, -1, 1))[:, None]  # the cornea gathers light on the far side
        pupil = step(PUPIL + F(0.05), PUPIL - F(0.03), ir + F(0.010) * coarse)
        colour *= (1 - F(0.985) * pupil)[:, None]
        # the white: yellowish at the back, pink in the corners, veins
        rel = (q - F(centre)) / F(radius)
        corner = step(0.45, 0.98, np.abs(rel[:, 0]))
        white = np.array([0.45, 0.40, 0.375], F) * (1 - F(0.05) * noise(q, 1.5, 2))[:, None]
        vein = step(0.13, 0.02, np.abs(noise(q + F(30), [1.1, 2.4, 1.5], 3, 0.55))) * (F(0.15) + F(0.85) * corner)
        white *= np.exp(-(F(0.10) * corner + F(0.16) * vein)[:, None] * np.array([0.35, 1.35, 1.2], F))
        pink = step(0.70, 0.96, F(inner) * rel[:, 0])  # the caruncle's side
        white += (F(0.55) * pink)[:, None] * (np.array([0.48, 0.22, 0.19], F) - white)
        edge = step(1.10, 0.88, r)
        self.albedo = (white + edge[:, None] * (colour - white)).astype(F)
        self.iris = edge
        # cornea: steeper than the ball
        steep = F(0.70) * step(1.12, 0.80, r)
        normal = out + steep[:, None] * (out - facing[:, None] * gaze)
        self.normal = (normal / np.linalg.norm(normal, axis=1, keepdims=True)).astype(F)
        self.smooth = out


def reflections(normal, view, light, visible, open_, inside):
    """Light mirrored by wet surfaces [n,3]: the key as a soft-edged panel, and what surrounds. `inside` [n]: how smooth the surface is."""
    facing = np.einsum("ij,ij->i", normal, view)
    ray = 2 * facing[:, None] * normal - view
    fresnel = F(0.025) + F(0.975) * np.clip(1 - facing, 0, 1) ** 5
    size = F(0.10) + F(0.35) * light.size
    # a window's shape: a rounded square about the key's direction
    right = np.cross(np.array([0, 1, 0], F), light.direction)
    right /= np.linalg.norm(right)
    up = np.cross(light.direction, right)
    front = ray @ light.direction
    square = ((ray @ right) ** 4 + (ray @ up * F(0.85)) ** 4) ** F(0.25)
    panel = step(size * F(1.25), size * F(0.75), square) * step(0.0, 0.3, front)
    strength = np.minimum(F(0.30) / size**2, F(8))
    out = (panel * visible * fresnel * strength * 3)[:, None] * light.key
    out += (fresnel * (F(0.25) + F(0.75) * open_))[:, None] * light.radiance(ray)
    return out * inside[:, None]
