"""Topology of the parametric head: face mesh, skull rings, Loop subdivision, named vertex lists.

Lengths are centimetres of the canonical face, x to the image's right, y up, z towards the viewer.
"""

from collections import defaultdict

import numpy as np
import scipy.sparse as sp

from . import canonical

# Lip rings from the outer contour to the inner one, listed from corner to corner; `U` upper, `L` lower.
LIPS_U = [
    [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291],
    [76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306],
    [62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292],
    [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308],
]
LIPS_L = [
    [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291],
    [76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306],
    [62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292],
    [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308],
]
# Eye openings of the person's right (image left) and left eye: (outer corner .. inner corner) lower, then upper lid.
EYE_R_LOWER, EYE_R_UPPER = [33, 7, 163, 144, 145, 153, 154, 155, 133], [33, 246, 161, 160, 159, 158, 157, 173, 133]
EYE_L_LOWER, EYE_L_UPPER = [263, 249, 390, 373, 374, 380, 381, 382, 362], [263, 466, 388, 387, 386, 385, 384, 398, 362]
# The skin just above each upper lid, same order.
LID_R_ABOVE, LID_L_ABOVE = [247, 30, 29, 27, 28, 56, 190], [467, 260, 259, 257, 258, 286, 414]
CORNERS = {61, 291, 76, 306, 62, 292, 78, 308}
CONTOUR = LIPS_U[3] + LIPS_L[3][-2:0:-1]  # inner lip contour, closed polygon
EYES, LIPS, FACE, SKULL = 2, 3, 0, 1  # triangle tags of the head mesh
RINGS = 12
SKULL_CENTRE, SKULL_RADII = np.array([0, 2.2, -3.5]), np.array([7.4, 10.3, 9.7])


def step(a, b, x):
    """Smooth step from 0 at `a` to 1 at `b`, for either order of a and b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def _boundary(faces, start=None):
    """The mesh's border as one loop of vertices, the one through `start` where there are several."""
    count = defaultdict(int)
    for f in faces:
        for i in range(3):
            count[(int(f[i]), int(f[(i + 1) % 3]))] += 1
    after = {a: b for (a, b) in count if (b, a) not in count}
    loop = [next(iter(after)) if start is None else start]
    while after[loop[-1]] != loop[0]:
        loop.append(after[loop[-1]])
    return loop


def _neutral(v):
    """Closes the canonical mouth and opens and enlarges the canonical eyes."""
    v = v.astype(np.float64).copy()
    for u, l in zip(LIPS_U[3], LIPS_L[3]):
        middle = (v[u] + v[l]) / 2
        v[u], v[l] = middle + [0, 0.01, 0], middle - [0, 0.01, 0]
    for ring, k in ((2, 0.6), (1, 0.25)):
        for u, l in zip(LIPS_U[ring][1:-1], LIPS_L[ring][1:-1]):
            v[u, 1] -= 0.22 * k
            v[l, 1] += 0.22 * k
    for lower, upper in ((EYE_R_LOWER, EYE_R_UPPER), (EYE_L_LOWER, EYE_L_UPPER)):
        centre = v[lower + upper, 1].mean()
        for i in set(lower + upper):
            v[i, 1] += 0.42 * (v[i, 1] - centre) + 0.04 * (v[i, 1] > centre)
    for side in (-1, 1):  # larger eyes, corners of the mouth a little up
        d = v - [side * 3.1, 2.6, 0]
        v[:, :2] += (d[:, :2] * [0.13, 0.20]) * np.exp(-((d[:, 0] / 2.2) ** 4) - (d[:, 1] / 1.3) ** 4)[:, None]
        v[:, 1] += 0.13 * np.exp(-(((v[:, 0] - side * 2.4) / 1.1) ** 2) - ((v[:, 1] + 4.3) / 0.9) ** 2)
    v[:, 0] *= 1 - 0.06 * step(3.0, 7.0, np.abs(v[:, 0]))  # a slimmer face about the same eyes and mouth
    return v


def _skull(v, loop):
    """Rings that continue the face's border over the skull to its back: positions and triangles."""
    pole = np.array([0, -0.05, -1.0])
    pole /= np.linalg.norm(pole)
    points, faces, previous, n = [], [], loop, len(v)
    for k in range(1, RINGS + 1):
        t = k / RINGS
        for i in loop:
            d = v[i] - SKULL_CENTRE
            r = np.linalg.norm(d)
            d = d / r
            angle = np.arccos(np.clip(d @ pole, -1, 1))
            e = (np.sin((1 - t) * angle) * d + np.sin(t * angle) * pole) / np.sin(angle)
            ellipsoid = 1 / np.sqrt(((e / SKULL_RADII) ** 2).sum())
            mix = step(0, 0.55, t)
            points.append(SKULL_CENTRE + e * (r * (1 - mix) + ellipsoid * mix))
        current = list(range(n, n + len(loop)))
        n += len(loop)
        for j in range(len(loop)):
            a, b = previous[j], previous[(j + 1) % len(loop)]
            c, d = current[j], current[(j + 1) % len(loop)]
            faces += [[b, a, c], [b, c, d]]
        previous = current
    return np.array(points), np.array(faces)


def _subdivide(n, faces):
    """One step of Loop subdivision: matrix [n', n] and the new triangles."""
    opposite, near, border = defaultdict(list), defaultdict(set), defaultdict(set)
    for f in faces:
        for i in range(3):
            a, b, o = int(f[i]), int(f[(i + 1) % 3]), int(f[(i + 2) % 3])
            opposite[(min(a, b), max(a, b))].append(o)
    rows, cols, vals, edge = [], [], [], {}
    m = n
    for (a, b), o in opposite.items():
        near[a].add(b), near[b].add(a)
        if len(o) == 1:
            border[a].add(b), border[b].add(a)
        edge[(a, b)] = m
        weights = [(a, 0.375), (b, 0.375), (o[0], 0.125), (o[1], 0.125)] if len(o) == 2 else [(a, 0.5), (b, 0.5)]
        for q, w in weights:
            rows.append(m), cols.append(q), vals.append(w)
        m += 1
    for v in range(n):
        around, own = (border[v], 0.75) if border[v] else (near[v], None)
        if own is None:
            own = 1 - 3 / 8 if len(around) > 3 else 1 - 9 / 16
        rows += [v] * (1 + len(around))
        cols += [v, *around]
        vals += [own] + [(1 - own) / len(around)] * len(around)
    e = lambda a, b: edge[(min(a, b), max(a, b))]
    out = []
    for a, b, c in faces.tolist():
        x, y, z = e(a, b), e(b, c), e(c, a)
        out += [[a, x, z], [x, b, y], [z, y, c], [x, y, z]]
    return sp.csr_matrix((vals, (rows, cols)), shape=(m, n)), np.array(out)


class Head:
    """Base mesh (`base` [N,3], first 468 the face mesh), fine mesh (`subdivide` [M,N], `faces`, `tags`, `fine` [M,3])."""

    def __init__(self):
        v, t = canonical.load()
        v = _neutral(v)
        inner = set(LIPS_U[3] + LIPS_L[3])
        eyes = [set(EYE_R_LOWER + EYE_R_UPPER), set(EYE_L_LOWER + EYE_L_UPPER)]
        lips = {i for ring in LIPS_U + LIPS_L for i in ring}
        loop = _boundary(t)
        tags = []
        for f in t:
            s = set(map(int, f))
            tags.append(-1 if s <= inner else EYES if s <= eyes[0] or s <= eyes[1] else LIPS if s <= lips else FACE)
        tags = np.array(tags)
        points, back = _skull(v, loop)
        self.base = np.concatenate([v, points])
        faces = np.concatenate([t[tags >= 0], back])
        tags = np.concatenate([tags[tags >= 0], np.full(len(back), SKULL)])
        one, f1 = _subdivide(len(self.base), faces)
        two, f2 = _subdivide(one.shape[0], f1)
        self.subdivide = (two @ one).tocsr()
        self.faces, self.tags = f2.astype(np.int32), np.repeat(tags, 16)
        self.fine = self.subdivide @ self.base
        self.mouth = _boundary(self.faces, LIPS_U[3][0])  # the lips' inner edge on the fine mesh
        ring = np.zeros(len(self.base))
        ring[468:] = 1
        self.is_skull = ring
        self.fine_skull = np.clip(self.subdivide @ ring, 0, 1)


def grid(f, nu, nv):
    """Samples the surface f(u, v), u and v arrays in [0,1]; gives points [nu*nv, 3] and triangles."""
    u, v = np.meshgrid(np.linspace(0, 1, nu), np.linspace(0, 1, nv), indexing="ij")
    p = np.stack([np.broadcast_to(c, u.shape) for c in f(u, v)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(nu - 1), np.arange(nv - 1), indexing="ij")
    q = (i * nv + j).ravel()
    t = np.concatenate([np.stack([q, q + 1, q + nv], 1), np.stack([q + 1, q + nv + 1, q + nv], 1)])
    return p.astype(np.float64), t.astype(np.int32)
