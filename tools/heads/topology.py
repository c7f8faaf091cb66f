"""Which part of the body is kept, and its Catmull-Clark subdivision."""

from collections import defaultdict

import numpy as np
import scipy.sparse as sp

SKIN, EYE_L, EYE_R, TEETH_U, TEETH_L, TONGUE, LASHES = range(7)
GROUPS = [
    (SKIN, ["body"]), (EYE_L, ["helper-l-eye"]), (EYE_R, ["helper-r-eye"]), (TEETH_U, ["helper-upper-teeth"]), (TEETH_L, ["helper-lower-teeth"]),
    (TONGUE, ["helper-tongue"]), (LASHES, ["helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2"]),
]  # fmt: skip
LOWEST, WIDEST = 4.55, 2.15  # where the body is cut, decimetres


class Selection:
    """The kept faces: `quads [Q,4]` of kept vertices, `uv_quads [Q,4]`, `part [Q]`, and `kept [N]`, the vertices' numbers in the assets."""

    def __init__(self, assets):
        faces, uv_faces, part = [], [], []
        for tag, names in GROUPS:
            for name in names:
                f, t = np.array(assets.faces[name]), np.array(assets.uv_faces[name])
                if tag == SKIN:
                    at = assets.vertices[f]
                    stay = (at[..., 1].min(1) > LOWEST) & (np.abs(at[..., 0]).max(1) < WIDEST)
                    f, t = f[stay], t[stay]
                faces.append(f), uv_faces.append(t), part.append(np.full(len(f), tag))
        faces = np.concatenate(faces)
        self.uv_quads, self.part = np.concatenate(uv_faces), np.concatenate(part)
        self.kept, flat = np.unique(faces, return_inverse=True)
        self.quads = flat.reshape(faces.shape)


def triangles(quads):
    """Two triangles a quad, `[2Q,3]`, those of a quad one after the other."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)


def catmull_clark(n, quads):
    """One step over n vertices: matrix [n',n], quads [4Q,4], those of a quad one after the other, corner by corner."""
    edges, beside = {}, defaultdict(list)
    for q, quad in enumerate(quads.tolist()):
        for i in range(4):
            e = tuple(sorted((quad[i], quad[(i + 1) % 4])))
            edges.setdefault(e, len(edges))
            beside[e].append(q)
    count, first = len(edges), n + len(quads)
    rows, cols, vals = [], [], []

    def put(row, columns, weight):
        rows.extend([row] * len(columns)), cols.extend(columns), vals.extend([weight] * len(columns))

    around, ends, rim = defaultdict(list), defaultdict(list), defaultdict(list)
    for q, quad in enumerate(quads.tolist()):
        put(n + q, quad, 0.25)
        for v in quad:
            around[v].append(q)
    for e, k in edges.items():
        for v in e:
            ends[v].append(e)
        if len(beside[e]) == 2:
            put(first + k, list(e), 0.25)
            for q in beside[e]:
                put(first + k, quads[q].tolist(), 0.0625)
        else:
            put(first + k, list(e), 0.5)
            for v in e:
                rim[v].append(e)
    for v in range(n):
        if rim[v]:
            others = [a if b == v else b for a, b in rim[v]]
            put(v, [v], 1 - 0.25 * len(others[:2]) / 2), put(v, others[:2], 0.125)
        elif around[v]:
            k = len(around[v])
            put(v, [v], (k - 3) / k)
            for e in ends[v]:  # twice the mean of the edges' middles
                put(v, list(e), 1 / k / len(ends[v]))
            for q in around[v]:
                put(v, quads[q].tolist(), 0.25 / k / k)
        else:
            put(v, [v], 1.0)
    fine = np.empty((len(quads), 4, 4), np.int64)
    number = np.array([[first + edges[tuple(sorted((quad[i], quad[(i + 1) % 4])))] for i in range(4)] for quad in quads.tolist()])
    for i in range(4):
        fine[:, i] = np.stack([quads[:, i], number[:, i], n + np.arange(len(quads)), number[:, i - 1]], 1)
    return sp.csr_matrix((vals, (rows, cols)), shape=(first + count, n)), fine.reshape(-1, 4)


def fine_uv(uv):
    """Texture coordinates `[4Q,4,2]` of the quads that `catmull_clark` makes of quads with those `[Q,4,2]`."""
    middle, edge = uv.mean(1), (uv + np.roll(uv, -1, 1)) / 2
    return np.stack([np.stack([uv[:, i], edge[:, i], middle, edge[:, i - 1]], 1) for i in range(4)], 1).reshape(-1, 4, 2)


def ring(quads, start, towards):
    """The closed line of edges that goes straight on from vertex `start` over `towards`, as a list of vertices."""
    near, beside = defaultdict(set), defaultdict(set)
    for q, quad in enumerate(quads.tolist()):
        for i in range(4):
            a, b = quad[i], quad[(i + 1) % 4]
            near[a].add(b), near[b].add(a), beside[frozenset((a, b))].add(q)
    line = [start, towards]
    while True:
        a, b = line[-2:]
        onward = [c for c in near[b] if c != a and not beside[frozenset((b, c))] & beside[frozenset((a, b))]]
        if len(near[b]) != 4 or len(onward) != 1:
            raise ValueError(f"vertex {b}: no edge goes straight on")
        if onward[0] == start:
            return line
        line.append(onward[0])
