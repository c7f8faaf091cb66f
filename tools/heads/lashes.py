"""Eyelashes: strands along the strips that the head's mesh has for them, drawn over the picture."""

from collections import defaultdict, deque

import numpy as np

from . import head as H
from . import params as P
from . import strands as S
from .light import linear

F = np.float32
UPPER, LOWER = 95, 55  # lashes a strip


def _strips(faces):
    """Vertices of every strip as a grid [columns, rows], of triangles [T,3] in pairs that share their first vertices."""
    near = defaultdict(set)
    for a, b in zip(faces[0::2].tolist(), faces[1::2].tolist()):
        corners = [a[0], a[1], a[2], b[2]]
        for i in range(4):
            near[corners[i]].add(corners[(i + 1) % 4]), near[corners[(i + 1) % 4]].add(corners[i])

    def far(start):
        steps, queue = {start: 0}, deque([start])
        while queue:
            v = queue.popleft()
            for w in near[v] - steps.keys():
                steps[w] = steps[v] + 1
                queue.append(w)
        return steps

    left = set(near)
    while left:
        from_a = far(min(left))
        corners = [v for v in from_a if len(near[v]) == 2]
        from_a = far(corners[0])
        other = min(corners[1:], key=from_a.get)  # across the strip's short side
        from_b, rows = far(other), from_a[other]
        grid = np.zeros((max((from_a[v] + from_b[v] - rows) // 2 for v in from_a) + 1, rows + 1), int)
        for v in from_a:
            grid[(from_a[v] + from_b[v] - rows) // 2, (from_a[v] - from_b[v] + rows) // 2] = v
        left -= from_a.keys()
        yield grid


class Lashes:
    def __init__(self, head):
        self._strips = []
        rng = np.random.default_rng(31)
        eyes = [head.eye(head.base, side)[0] for side in (H.EYE_L, H.EYE_R)]
        for grid in _strips(head.faces[head.part == H.LASHES]):
            centre = min(eyes, key=lambda c: np.linalg.norm(head.base[grid].mean((0, 1)) - c))
            away = np.linalg.norm(head.base[grid] - centre, axis=2).mean(0)
            if away[0] > away[-1]:
                grid = grid[:, ::-1]
            upper = head.base[grid, 1].mean() > centre[1]
            n = UPPER if upper else LOWER
            at = (np.sort(rng.random(n)) * 0.97 + 0.015) * (len(grid) - 1)
            self._strips.append((grid, upper, at, rng.random((n, 3)), rng.normal(size=n)))

    def strands(self, p, coarse):
        """Points [n,k,3], radius [n] in centimetres, upper [n]."""
        amount = float(p[P.SLOT["lashes"]][0])
        points, radius, uppers = [], [], []
        for grid, upper, at, r, lean in self._strips:
            v = coarse[grid].astype(F)
            # bundles lean together: the tip comes from a little along the lid
            tip = np.clip(at + 0.35 * lean, 0, len(grid) - 1)
            column = lambda u: v[np.minimum(u.astype(int), len(v) - 2)] * (1 - u % 1)[:, None, None] + v[np.minimum(u.astype(int), len(v) - 2) + 1] * (u % 1)[:, None, None]
            u = np.minimum(at, len(v) - 1.001)
            w = np.minimum(tip, len(v) - 1.001)
            along = np.linspace(0, 1, v.shape[1])[None, :, None]
            line = column(u) * (1 - along) + column(w) * along
            length = ((0.42 + 0.48 * amount) * (0.62 + 0.38 * r[:, 0]) if upper else (0.30 + 0.35 * amount) * (0.6 + 0.4 * r[:, 0]))[:, None, None]
            points.append(line[:, :1] + (line - line[:, :1]) * length)
            radius.append((0.0035 + 0.0055 * amount) * (0.7 + 0.6 * r[:, 1]) * (1.0 if upper else 0.62))
            uppers.append(np.full(len(at), upper))
        return np.concatenate(points).astype(F), np.concatenate(radius).astype(F), np.concatenate(uppers)

    def draw(self, p, coarse, buffers):
        """Lays lashes over what is in `buffers`; classes stay."""
        points, radius, upper = self.strands(p, coarse)
        camera, light = buffers.camera, buffers.light
        samples = S.Samples(np.where(buffers.depth < 1e8, buffers.depth + F(0.012), 1e9))
        screen = camera.screen(points.reshape(-1, 3)).reshape(points.shape)
        screen[..., :2] *= 2
        base = F(0.25) * linear(p[P.SLOT["brow"]]) + F(0.006)
        lit = base * (light.around_mean + F(0.35) * light.key)
        colour = np.broadcast_to(lit, points.shape)
        width = 4 * camera.scale * radius
        samples.draw(screen, colour, np.maximum(width, 1.0), np.clip(width, 0.05, 1), np.zeros(len(points), np.uint8))
        s = len(buffers.depth)
        hit = (samples.depth < 1e8).reshape(s, 2, s, 2)
        rows, columns = np.nonzero(hit.any((1, 3)))
        share = hit[rows, :, columns].mean((1, 2)).astype(F)
        added = (samples.picture.reshape(s, 2, s, 2, 3)[rows, :, columns] * hit[rows, :, columns][..., None]).mean((1, 2))
        buffers.colour[rows, columns] = buffers.colour[rows, columns] * (1 - share[:, None]) + added
        buffers.alpha[rows, columns] = buffers.alpha[rows, columns] * (1 - share) + share
