"""Soft masks over the fine mesh, from the assets' masks, from what shapes move, and from places on the mean head."""

import numpy as np

from . import params as P
from . import topology as T


def step(a, b, x):
    """Smooth step from 0 at `a` to 1 at `b`, for either order of a and b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _sampled(image, uv, faces, n):
    """An image looked up at the corners of triangles, mean over a vertex's corners: [n]."""
    h, w = image.shape
    x, y = np.clip(uv[..., 0] * w, 0, w - 1).astype(int), np.clip((1 - uv[..., 1]) * h, 0, h - 1).astype(int)
    total, count = np.zeros(n), np.zeros(n)
    np.add.at(total, faces, image[y, x]), np.add.at(count, faces, 1)
    return total / np.maximum(count, 1)


def build(assets, head, matrix):
    """Masks [M] by name; `head` are the arrays of `head.build`, `matrix` the subdivision [M,N]."""
    n = matrix.shape[0]
    faces, part = head["fine_faces"], head["fine_part"]
    v = matrix @ head["base"]
    x, y, z = v.T
    ax = np.abs(x)
    skin = np.zeros(n)
    skin[faces[part == T.SKIN]] = 1
    sampled = lambda name: _sampled(assets.mask(name), head["uv"], faces, n) * skin
    moved = lambda name: np.linalg.norm(matrix @ head["expression"][P.UNIT[name]], axis=1)
    m = {"lips": sampled("lips"), "mouth_inside": sampled("inside-mouth"), "lids": sampled("eyelids"), "face": sampled("face")}
    jaw = moved("jawOpen")
    lower = step(0.35, 0.65, jaw / jaw[m["lips"] > 0.5].max())
    m["lip_lower"], m["lip_upper"] = m["lips"] * lower, m["lips"] * (1 - lower)
    ears = sampled("ears")
    m["ear_l"], m["ear_r"] = ears * (x > 0), ears * (x < 0)
    tip = v[(skin > 0) & (ax < 0.5) & (y > -4) & (y < 2.5), :]
    tip = tip[tip[:, 2].argmax()]
    m["nose"] = skin * step(2.4, 1.5, ax / (0.45 + 0.55 * step(tip[1] + 3.5, tip[1], y))) * step(tip[1] - 1.9, tip[1] - 1.2, y) * step(3.0, 1.5, y) * step(2.0, 3.2, z)
    m["nostrils"] = skin * np.exp(-(((ax - 0.65) / 0.45) ** 2) - ((y - tip[1] + 0.75) / 0.4) ** 2) * (z > 2)
    brow = np.exp(-(((ax - 2.9) / 1.7) ** 4) - ((y - 4.3 - 0.25 * np.sin((ax - 1) * 0.9)) / 0.55) ** 4) * skin * (z > 1)
    m["brow_l"], m["brow_r"] = brow * (x > 0), brow * (x < 0)
    body = skin * (1 - m["mouth_inside"])
    line = 7.6 - 0.07 * ax**2 - 0.2 * step(2.0, 0.0, ax)  # of the hair on the forehead
    front = step(-0.4, 0.6, y - line)
    temple = -2.9 + 0.8 * np.clip(y, 0, 7)  # how far forward the hair of the sides comes; sideburns end halfway down the ears
    sides = step(temple + 0.6, temple - 0.6, z) * step(-3.4, -2.2, y - 0.12 * (z + 3)) * np.maximum(step(0.0, 1.2, y), step(-6.0, -7.0, z))
    m["scalp"] = body * np.maximum(front * step(4.5, 5.5, y), sides * step(4.2, 5.6, ax + 2.0 * (z < -1) * 3)) * (1 - np.clip(3 * ears, 0, 1)) * step(-4.5, -3, y)
    neck_top = -8.2 + 0.55 * np.clip(2.5 - z, 0, 9)
    m["neck"] = body * step(neck_top + 0.6, neck_top - 0.6, y) * step(-13.5, -12.5, y)
    m["torso"] = body * step(-12.5, -13.5, y)
    m["cheeks"] = body * np.exp(-(((ax - 4.0) / 1.8) ** 2) - ((y + 1.2) / 1.9) ** 2) * step(0.5, 2, z)
    m["chin"] = body * np.exp(-((ax / 2.2) ** 2) - ((y + 6.9) / 1.3) ** 2) * step(1, 2.5, z)
    m["upper_lip_skin"] = body * (1 - m["lips"]) * np.exp(-((ax / 2.5) ** 4) - ((y + 2.7 + 0.12 * ax**1.5) / 0.75) ** 4) * step(2, 3, z)
    low = step(-2.6 + 1.1 * step(3.5, 6, ax) * 3, -4.2 + 1.0 * step(3.5, 6, ax) * 3, y)
    m["beard"] = body * (1 - m["lips"]) * np.maximum(m["upper_lip_skin"], low * step(-1.2, 0.6, z) * step(-10.6, -9, y)) * (1 - np.clip(3 * ears, 0, 1))
    return m
