"""How strands look: light in the hair's volume, colours by strand, and their picture in the renderer's buffers."""

import numpy as np

from . import params as P
from . import strands as S
from .classes import BROW_L, BROW_R, HAIR_C, SKIN
from .groom import BEARD, BROW, HAIR
from .light import linear
from .scalp import CENTRE, F, step

LOW, HIGH, CELL = np.array([-19.0, -23.0, -23.0]), np.array([19.0, 22.0, 14.0]), 0.8
OPAQUE = 1.1  # optical depth of hair per width and length of strands in a volume
LEVELS = 5  # directions of the surroundings whose occlusion is taken


def veil(hair):
    """Points [n,3] and weights [n] in cm² that stand for the hair in shadow maps."""
    points, weight = [], []
    for h in hair:
        every = 2 if h.points.shape[1] < 12 else 3
        q = h.points[:, ::every]
        ds = np.linalg.norm(np.diff(h.points[:, ::every], axis=1), axis=2)
        keep = (h.radius > 0.002) & (h.kind != BROW)
        points.append(((q[:, 1:] + q[:, :-1]) / 2)[keep].reshape(-1, 3))
        weight.append((ds * 2 * (h.radius * h.cover)[:, None])[keep].reshape(-1))
    return np.concatenate(points).astype(F), np.concatenate(weight).astype(F)


def _volume(hair, distance, light):
    """Grid of (optical depth to the key, open share of the surroundings) in and about the hair."""
    total = None
    for h in hair:
        d = S.density(h.points, 2 * h.radius * h.cover, LOW, HIGH, CELL)
        total = d if total is None else S.Grid(total.values + d.values, LOW, CELL)
    total.values *= OPAQUE
    total.values += 3.0 * step(-0.2, -1.2, distance).astype(F)
    deep = S.march(total, light.direction, 16)
    open_ = np.zeros_like(deep)
    for d in np.array([[0, 1, 0], [0.8, 0.2, 0.55], [-0.8, 0.2, 0.55], [0, 0.1, 1], [0, 0.3, -1]]):
        open_ += np.exp(-S.march(total, d / np.linalg.norm(d), 9)) / LEVELS
    return S.Grid(np.stack([deep, open_], -1), LOW, CELL)


def _colours(p, h):
    """Strands' linear colour, share of the tip's colour and gloss [n,5], and the tip's colour."""
    g = lambda name: np.asarray(p[P.SLOT[name]], F)
    base = linear(g({HAIR: "hair", BROW: "brow", BEARD: "beard"}[h.kind]))
    a, b = h.variation.T
    vary = np.exp(0.55 * (a - 0.5)) * (1 + 0.5 * step(0.9, 1.0, b))
    colour = base[None] * vary[:, None] * (1 + 0.10 * (b[:, None] - 0.5) * np.array([1, 0, -1], F))
    tips = float(g("hair_tips")[0]) if h.kind == HAIR else 0.2
    curl = float(g("curl")[0])
    gloss = np.full(len(a), (1.0 - 0.5 * curl) if h.kind == HAIR else 0.45, F)
    tip = np.minimum(base * 1.9 + np.array([0.06, 0.042, 0.024], F), 0.9)
    return np.concatenate([colour, np.full((len(a), 1), tips, F), gloss[:, None]], 1), tip


class Look:
    """Draws hair; `distance` is the neutral head's distance field (Groom's)."""

    def __init__(self, groom):
        nodes = S.Grid.nodes(LOW, HIGH, CELL)
        field = groom._space.distance
        at = np.clip(((nodes - field.low) / field.size + 0.5).astype(int), 0, np.array(field.values.shape[:3]) - 1)
        self._distance = field.values[at[..., 0], at[..., 1], at[..., 2], 0]

    def draw(self, p, hair, buffers):
        """Puts `hair` (list of Strands) over what is in `buffers` (render.Buffers)."""
        camera, light = buffers.camera, buffers.light
        volume = _volume(hair, self._distance, light)
        up, down = light.radiance(np.array([[0, 1, 0.3], [0, -1, 0.3]], F) / F(1.044))
        lights = np.concatenate([light.direction, light.key, up, down, light.rim, camera.eye]).astype(F)
        samples = S.Samples(np.where(buffers.depth < 1e8, buffers.depth + F(0.004), 1e9))
        for h in hair:
            keep = (h.radius > 0.0015) & (h.cover > 0.02)
            if not keep.any():
                continue
            points = np.ascontiguousarray(h.points[keep], F)
            strand, tip = _colours(p, h)
            colour = S.shade(points, volume, lights, strand[keep], tip, CENTRE)
            screen = camera.screen(points.reshape(-1, 3)).reshape(points.shape)
            screen[..., :2] *= 2
            width = 4 * camera.scale * h.radius[keep]
            cover = h.cover[keep] * np.clip(width / 1.0, 0, 1)
            label = np.full(len(points), HAIR_C if h.kind == HAIR else SKIN, np.uint8)
            if h.kind == BROW:
                label = np.where(points[:, 0, 0] > 0, BROW_L, BROW_R)
            samples.draw(screen, colour, np.maximum(width, 1.0), cover, label)
        self._resolve(samples, buffers)

    @staticmethod
    def _resolve(samples, buffers):
        """Four samples to a pixel, over the buffers."""
        s = len(buffers.depth)
        four = lambda a: a.reshape(s, 2, s, 2, *a.shape[2:])
        hit = four((samples.depth < 1e8).astype(F))
        share = hit.mean((1, 3))
        colour = (four(samples.picture) * hit[..., None]).mean((1, 3))
        buffers.colour[:] = buffers.colour * (1 - share[..., None]) + colour
        buffers.alpha[:] = buffers.alpha * (1 - share) + share
        most = share > 0.5
        buffers.depth[:] = np.where(most, np.minimum(four(samples.depth).min((1, 3)), buffers.depth), buffers.depth)
        buffers.label[:] = np.where(share > 0.4, four(samples.label).max((1, 3)), buffers.label)
