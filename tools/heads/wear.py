"""Things worn, as triangle meshes: clothes with a neckline, collar and inner shirt, glasses, earrings, cap, head scarf. Centimetres, head's frame.

Cloth is traced onto the neutral head's distance field and moved with the person's shape, so it stands off the skin everywhere.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from . import params as P
from . import strands as S
from .classes import CLOTHES, EAR_LC, EAR_RC, HAIR_C, SKIN
from .light import linear
from .raster import normals
from .scalp import F, step

TORSO, SKULL = np.array([0, -20.0, -8.0]), np.array([0, 4.5, -5.0])
CLOTH, METAL, PLASTIC, GLASS = range(4)


def _faces(rows, columns, closed=True):
    """Triangles of a grid of rows x columns points; `closed`: the last column joins the first."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = a + columns, b + columns
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]).astype(np.int32)


def _tube(line, radius, sides=10, closed=False):
    """A tube of `radius` (number or [n]) about a line [n,3]: points and triangles."""
    t = np.gradient(line, axis=0) if not closed else np.roll(line, -1, 0) - np.roll(line, 1, 0)
    t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-9
    up = np.where(np.abs(t[:, 1:2]) > 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    a = np.cross(t, up)
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(t, a)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    r = np.broadcast_to(radius, len(line))[:, None, None]
    ring = line[:, None] + r * (a[:, None] * np.cos(turn)[None, :, None] + b[:, None] * np.sin(turn)[None, :, None])
    if closed:
        ring = np.concatenate([ring, ring[:1]])
    return ring.reshape(-1, 3), _faces(len(ring), sides)


def material(kind, colour, label, rough=0.8, alpha=1.0):
    """What the renderer needs to know: kind, linear colour [3] or one a vertex [n,3], class, roughness, opacity."""
    return {"kind": kind, "colour": np.asarray(colour, F), "label": label, "rough": rough, "alpha": float(alpha)}


class Wear:
    """Makes the meshes; `space` is that of a Groom (distance field and displacements)."""

    def __init__(self, head, space):
        self._head, self._space, self._field = head, space, space.distance
        turn, down = np.linspace(-np.pi, np.pi, 180, endpoint=False), np.linspace(0, 1, 56)
        self._turn, self._down = turn[None], down[:, None]
        self._cloth_faces = _faces(56, 180)

    def meshes(self, p, rest, coarse):
        """List of (vertices [n,3], faces [t,3], material) of parameters p; rest: fine vertices without an expression, coarse: with it."""
        g = lambda name: float(np.clip(p[P.SLOT[name]][0], -1, 1.2))
        field, out = self._space.moved(rest), []
        clothes = self._clothes(p, g)
        for points, faces, look in clothes + self._covers(p, g):
            points = np.ascontiguousarray(points, F)
            S.warp(points, field)
            out.append((points, faces, look))
        place = lambda q: self._at(field, q)
        if g("glasses") > 0.02:
            out += self._glasses(p, g, coarse, place)
        if g("earrings") > 0.02:
            out += self._earrings(g, place)
        return out

    @staticmethod
    def _at(field, q):
        points = np.array(np.atleast_2d(q), F)
        S.warp(points, field)
        return points

    # ---- cloth

    def _distance(self, x):
        i = (x - self._field.low) / self._field.size
        return map_coordinates(self._field.values[..., 0], i.reshape(-1, 3).T, order=1, mode="nearest").reshape(x.shape[:-1])

    def _trace(self, centre, direction, off, outside=False, top=None):
        """The points of rays from `centre` where the skin is `off` away: the first one, or the last one coming from outside; none is higher than `top`."""
        end = 34.0 if top is None else np.minimum(34.0, (top - centre[1]) / np.maximum(direction[..., 1], 0.2))
        r = np.full(direction.shape[:-1], 34.0 if outside else 2.0)
        for _ in range(18):
            r = np.clip(r - 0.85 * (self._distance(centre + r[..., None] * direction) - off), 2.0, end)
        return centre + r[..., None] * direction

    def _shell(self, start, end, off):
        """Cloth about the torso from polar angles `start` to `end` [turns], radians from upright."""
        polar = start + (end - start) * self._down
        turn = np.broadcast_to(self._turn, polar.shape)
        d = np.stack([np.sin(polar) * np.sin(turn), np.cos(polar) + 0 * turn, np.sin(polar) * np.cos(turn)], -1)
        return self._trace(TORSO, d, off + 0 * polar, top=-9.6), turn, polar

    def _folded(self, points, g, height):
        """Cloth with folds: fans from the neck's sides and soft waves down the front."""
        x, y, z = (points[..., i] for i in range(3))
        fold = 0.5 * np.sin(1.1 * x + 0.5 * y + 1.7 * np.sin(0.25 * y + 0.2 * x)) + 0.35 * np.sin(0.7 * x - 0.9 * y + 2 * np.sin(0.31 * x)) + 0.2 * np.sin(2.3 * x + 1.1 * z + 0.8 * y)
        n = normals(points.reshape(-1, 3), self._cloth_faces).reshape(points.shape)
        return points + n * (height * fold * step(0, 0.22, self._down))[..., None]

    def _clothes(self, p, g):
        front = np.maximum(np.cos(self._turn[0]), 0)
        crew = np.radians(np.interp(np.abs(self._turn[0]), [0, 1.2, np.pi / 2, 2.2, np.pi], [39, 40, 38, 32, 30]))
        wide = np.radians(9) * g("neckline") * (0.35 + 0.65 * front)
        vee = np.radians(30) * np.clip(g("neck_v"), 0, 1) * np.maximum(1 - np.abs(self._turn[0]) / 0.62, 0) ** 1.0
        outer = crew + wide + vee
        end = np.full_like(outer, np.radians(128))
        cloth, inner = linear(p[P.SLOT["cloth"]]), linear(p[P.SLOT["cloth_inner"]])
        out = []
        points, turn, polar = self._shell(outer, end, 0.45)
        rim = 1 - 0.8 * step(0.05, 0.0, self._down)  # the edge turns in to the skin
        points = self._folded(self._trace(TORSO, (points - TORSO) / np.linalg.norm(points - TORSO, axis=-1, keepdims=True), 0.05 + 0.45 * rim), g, 0.16)
        x, y = points[..., 0], points[..., 1]
        weave = 1 + 0.05 * np.sin(9 * x) * np.sin(9 * y)
        stripes = step(-0.15, 0.15, np.sin(2.4 * y + 0 * x)) + 0.5 * step(-0.15, 0.15, np.sin(2.4 * x))
        colour = cloth * weave[..., None] + (np.clip(g("pattern"), 0, 1) * 0.6 * stripes)[..., None] * (inner - cloth)
        seam = 1 - 0.25 * np.exp(-(((self._down - 0.055) / 0.012) ** 2)) - 0.18 * np.exp(-((self._down / 0.012) ** 2))
        out.append((points.reshape(-1, 3), self._cloth_faces, material(CLOTH, (colour * seam[..., None]).reshape(-1, 3), CLOTHES)))
        under = step(0.45, 0.95, g("neck_v"))
        if under > 0.01:  # a shirt below shows in the opening
            begin = outer + np.radians(3) + under * (crew + 0.5 * wide - outer - np.radians(3))
            points, _, _ = self._shell(begin, np.maximum(outer + np.radians(14), begin + 0.02), 0.22)
            seam = 1 - 0.3 * np.exp(-(((self._down - 0.10) / 0.03) ** 2))
            out.append((points.reshape(-1, 3), self._cloth_faces, material(CLOTH, (inner * seam[..., None] + 0 * points).reshape(-1, 3), CLOTHES)))
        stand = step(0.35, 1.0, g("collar"))
        if stand > 0.01:
            out.append(self._collar(stand, crew, g, inner if under > 0.5 else cloth))
        return out

    def _collar(self, stand, crew, g, colour):
        """A band about the neck, open in front over a pointed neckline."""
        polar = crew + np.radians(2.5) - (np.radians(12) * stand) * self._down * (1 - np.clip(g("neck_v"), 0, 1) * np.exp(-((self._turn[0] / 0.55) ** 2)))
        turn = np.broadcast_to(self._turn, polar.shape)
        d = np.stack([np.sin(polar) * np.sin(turn), np.cos(polar), np.sin(polar) * np.cos(turn)], -1)
        points = self._trace(TORSO, d, 0.30 + 0.32 * np.sin(np.pi * self._down**0.7) + 0 * polar, top=-9.0 + 0.9 * np.cos(turn + np.pi))
        rib = 1 + 0.10 * np.sin(90 * turn) * step(0.6, 0.9, stand)
        return points.reshape(-1, 3), self._cloth_faces, material(CLOTH, (colour * rib[..., None] + 0 * points).reshape(-1, 3), CLOTHES)

    # ---- what covers the head

    def _cap_edge(self, worn):
        """Polar angle about the skull's centre of the cap's edge, by turn (0: front)."""
        return worn * np.radians(np.interp(np.abs(self._turn[0]), [0, 0.9, np.pi / 2, 2.3, np.pi], [62, 68, 82, 96, 100]))

    def _covers(self, p, g):
        cover, out = linear(p[P.SLOT["cover"]]), []
        cap, scarf = np.clip(g("cap"), 0, 1) * (1 - step(0.1, 0.6, g("scarf"))), np.clip(g("scarf"), 0, 1)
        if cap > 0.03:
            worn = step(0.0, 0.8, cap)
            polar = self._cap_edge(worn) * (0.01 + 0.99 * self._down)
            turn = np.broadcast_to(self._turn, polar.shape)
            d = np.stack([np.sin(polar) * np.sin(turn), np.cos(polar), np.sin(polar) * np.cos(turn)], -1)
            high = 0.75 + 0.55 * step(0.9, 0.5, self._down) * (0.6 + 0.4 * np.cos(turn)) - 0.3 * step(0.9, 1.0, self._down)
            points = self._trace(SKULL, d, high, True)
            seam = 1 - 0.30 * np.exp(-((np.abs((turn / np.pi * 3 + 100) % 1 - 0.5) / 0.035) ** 2)) * step(0.1, 0.2, self._down) - 0.25 * np.exp(-(((self._down - 0.93) / 0.012) ** 2))
            out.append((points.reshape(-1, 3), self._cloth_faces, material(CLOTH, (cover * seam[..., None] + 0 * points).reshape(-1, 3), HAIR_C)))
            a, s = np.linspace(-1, 1, 60)[None], np.linspace(0, 1, 16)[:, None]
            rim = np.stack([np.interp(a[0] * 1.05, self._turn[0], points[-1, :, i]) for i in range(3)], -1)[None]
            reach = 6.2 * worn * np.sqrt(np.maximum(1 - np.abs(a) ** 2.6, 0))
            sheet = [rim + np.stack([0.10 * a * reach * s, -0.26 * reach * s - 0.05 * reach * s**2 - 0.9 * a**2 * s + side, reach * s + 0 * a], -1) for side in (0.10, -0.10)]
            both = np.concatenate([sheet[0], sheet[1][::-1]])
            out.append((both.reshape(-1, 3), _faces(32, 60, False), material(CLOTH, cover * 0.92, HAIR_C)))
        if scarf > 0.03:
            worn = step(0.0, 0.8, scarf)
            centre = np.array([0, 1.0, -5.0])
            oval = np.radians(np.interp(np.abs(self._turn[0]), [0, 0.6, 1.2, 1.7, 2.3, 2.8, np.pi], [42, 46, 55, 58, 56, 51, 49]))  # 0: the forehead
            begin = np.pi - worn * (np.pi - oval)
            wide = begin + (np.radians(178) - begin) * self._down
            turn = np.broadcast_to(self._turn, wide.shape)
            d = np.stack([np.sin(wide) * np.sin(turn), np.sin(wide) * np.cos(turn), np.cos(wide)], -1)
            x = self._trace(centre, d, 0.55 + 0.75 * step(0, 0.35, self._down) - 0.35 * step(0.06, 0.0, self._down) + 0 * wide, True)
            r = np.linalg.norm(x - centre, axis=-1)
            taut = gaussian_filter(maximum_filter(r, (7, 17), mode=("nearest", "wrap")), (4, 8), mode=("nearest", "wrap"))  # cloth spans ears and hollows
            x = centre + d * (r + step(0.04, 0.30, self._down) * (taut - r))[..., None]
            pleat = 0.12 * np.sin(9 * turn + 4 * np.sin(3 * wide)) * step(0.02, 0.3, self._down) + 0.10 * np.sin(16 * wide + 2 * np.cos(turn)) * step(0.0, 0.2, self._down)
            x = x + d * pleat[..., None]
            out.append((x.reshape(-1, 3), self._cloth_faces, material(CLOTH, cover, HAIR_C)))
            top = np.full_like(oval, np.radians(29))
            points, _, _ = self._shell(top, top + worn * np.radians(np.interp(np.abs(self._turn[0]), [0, 1.0, 2.0, np.pi], [62, 50, 48, 60])), 1.35)
            points = self._folded(points, g, 0.38)
            out.append((points.reshape(-1, 3), self._cloth_faces, material(CLOTH, cover, CLOTHES)))
        return out

    # ---- small things

    def _glasses(self, p, g, coarse, place):
        from .head import EYE_L, EYE_R

        here = min(1.0, g("glasses") * 1.5)
        eyes = [np.asarray(self._head.eye(coarse, side)[0]) for side in (EYE_R, EYE_L)]
        radius = float(self._head.eye(coarse, EYE_L)[1])
        size, round_, tube = 1 + 0.16 * (g("glasses_size") - 0.4), 2 + 2.2 * (1 - g("glasses_round")), (0.045 + 0.16 * g("glasses_rim")) * here
        bridge = place([0, 2.4, 5.3])[0]
        front = max(eyes[0][2], eyes[1][2]) + radius + 1.25
        front = max(front, bridge[2] + 0.25)
        t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        e = 1 / (np.abs(np.cos(t)) ** round_ + np.abs(np.sin(t)) ** round_) ** (1 / round_)
        colour, out = linear(p[P.SLOT["glasses_rgb"]]), []
        rough = 0.25
        inner = []
        for side, eye in ((-1, eyes[0]), (1, eyes[1])):
            x = 2.45 * size * e * np.cos(t)
            y = (1.75 + 0.35 * g("glasses_round")) * size * e * np.sin(t)
            line = np.stack([eye[0] + side * 0.15 + x, eye[1] - 0.25 + y, front - 0.035 * (eye[0] + side * 0.15 + x) ** 2 + 0.28], 1)
            q, f = _tube(line, tube, 10, closed=True)
            out.append((q.astype(F), f, material(PLASTIC, colour, SKIN, rough)))
            q = np.concatenate([line.mean(0, keepdims=True), line])
            i = np.arange(72)
            f = np.stack([0 * i, 1 + i, 1 + (i + 1) % 72], 1).astype(np.int32)
            out.append((q.astype(F), f, material(GLASS, 0.02 + 0.05 * colour, SKIN, 0.05, here * (0.05 + 0.85 * np.clip(g("glasses_dark"), 0, 1)))))
            hinge = line[np.argmax(side * line[:, 0] + 0.3 * line[:, 1])]
            inner.append(line[np.argmin(side * line[:, 0] - 0.25 * line[:, 1])])
            ear = place([side * 7.75, 3.0, -4.6])[0]
            down = place([side * 7.5, 1.2, -8.2])[0]
            s = np.linspace(0, 1, 12)[:, None]
            arm = np.concatenate([hinge + (ear - hinge) * s, ear + (down - ear) * s[1:] + np.array([0, 0.8, 0]) * (s * (1 - s))[1:]])
            arm[:, 0] += side * 0.35 * np.sin(np.linspace(0, np.pi, len(arm)))
            q, f = _tube(arm, max(tube, 0.03 * here) * 0.9)
            out.append((q.astype(F), f, material(PLASTIC, colour, SKIN, rough)))
        s = np.linspace(0, 1, 12)[:, None]
        q, f = _tube(inner[0] + (inner[1] - inner[0]) * s + np.array([0, 0.35, 0.25]) * (4 * s * (1 - s)), tube * 0.9)
        out.append((q.astype(F), f, material(PLASTIC, colour, SKIN, rough)))
        return out

    def _earrings(self, g, place):
        here, size, out = np.clip(g("earrings"), 0, 1), g("earring_size"), []
        metal = linear([0.83, 0.68, 0.38])
        for side, label in ((-1, EAR_RC), (1, EAR_LC)):
            lobe = place([side * 7.75, -2.2, -4.3])[0]
            big = (0.16 + 1.5 * np.clip(size - 0.25, 0, 1) ** 1.3) * here
            t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            ring = lobe + np.stack([side * 0.12 + 0.10 * side * np.cos(t) * big, -big * 0.95 + big * np.cos(t), big * np.sin(t) * 0.9], 1)
            q, f = _tube(ring, (0.05 + 0.09 * step(0.45, 0.1, size)) * here, 8, closed=True)
            out.append((q.astype(F), f, material(METAL, metal, label, 0.2)))
        return out
