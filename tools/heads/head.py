"""The human head: coarse mesh, subdivision, masks, and its shape by identity and expression.

Lengths are centimetres of the canonical frame, x to the image's right (the person's left), y up, z towards the viewer. Built from the
assets on first use and cached below TALKGRAPH_HOME.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch

from . import assets as A
from . import expressions as X
from . import identity as I
from . import params as P
from . import topology as T
from .raster import normals, raster
from .topology import EYE_L, EYE_R, LASHES, SKIN, TEETH_L, TEETH_U, TONGUE  # noqa: F401  the parts' constants

EYES_APART, EYES_HIGH, EYES_DEEP = 6.2, 2.6, 2.4  # of the eyeballs' centres on the mean head, as on the canonical face
# The edges of the upper teeth show where lips part, close behind them; the lower ones bite a little behind those, and a resting tongue lies behind both.
SET_RIGHT = {TEETH_U: (0.0, -0.55, 0.14), TEETH_L: (0.0, -0.12, 0.0), TONGUE: (0.0, -0.35, 0.0)}
SOURCES = ("assets.py", "topology.py", "identity.py", "expressions.py", "masks.py", "head.py")


class _Frame:
    """Decimetres of the assets to centimetres of the canonical frame."""

    def __init__(self, body, faces):
        centre = [X.ball(body[np.unique(faces[f"helper-{s}-eye"])])[0] for s in "lr"]
        self.scale = EYES_APART / (centre[0][0] - centre[1][0])
        self.middle = (centre[0] + centre[1]) / 2

    def __call__(self, v):
        return (v - self.middle) * self.scale + [0, EYES_HIGH, EYES_DEEP]


def settle(offsets, at, weight):
    """Offsets [n,N,3] of points `at` [N,3] without the small turn and shift of the points that `weight` [N] counts."""
    c = (weight[:, None] * at).sum(0) / weight.sum()
    x, y, z = (at - c).T
    o, l = np.zeros_like(x), np.ones_like(x)
    moves = np.stack([np.stack(m, 1) for m in ((l, o, o), (o, l, o), (o, o, l), (o, -z, y), (z, o, -x), (-y, x, o))])  # [6,N,3]
    a = moves.reshape(6, -1)
    w = np.repeat(weight, 3)
    k = np.linalg.solve((a * w) @ a.T, (a * w) @ offsets.reshape(len(offsets), -1).T)
    return offsets - (k.T @ a).reshape(offsets.shape)


def occlusion(v, faces, part, directions=96, side=640):
    """The share [M] of a uniform sky that reaches fine vertices v [M,3], lashes left out."""
    faces = faces[part != LASHES]
    normal = normals(v, faces)
    seen, total = np.zeros(len(v)), np.full(len(v), 1e-6)
    for k in range(directions):  # evenly over the sphere, along a golden spiral
        y = 1 - (2 * k + 1) / directions
        r, a = np.sqrt(1 - y * y), k * np.pi * (3 - np.sqrt(5))
        d = np.array([r * np.cos(a), y, r * np.sin(a)])
        across = np.cross(d, [0.0, 0.0, 1.0] if abs(d[2]) < 0.9 else [0.0, 1.0, 0.0])
        across /= np.linalg.norm(across)
        at = v @ np.stack([across, np.cross(d, across), -d], 1)
        low, high = at[:, :2].min(), at[:, :2].max()
        at[:, :2] = (at[:, :2] - low) / (high - low) * (side - 2) + 1
        depth = raster(at, faces, side)[0].reshape(side, side)
        x, y = at[:, 0].astype(int), at[:, 1].astype(int)
        facing = np.maximum(normal @ d, 0)
        seen += facing * (at[:, 2] < depth[y, x] + 0.15)
        total += facing
    return seen / total


def build():
    """Everything that a `Head` keeps, as arrays by name."""
    from . import masks

    assets = A.Assets()
    s = T.Selection(assets)
    body = I.mean(assets)
    frame = _Frame(body, assets.faces)
    base = frame(body)[s.kept]
    skin = np.zeros(len(base))
    skin[s.quads[s.part == T.SKIN]] = 1
    y, z = base[:, 1], base[:, 2]
    still = skin * (y > -1.5) * np.where(z > 0, 1.0, 0.3)
    front = skin * np.clip((y + 12) / 5, 0.02, 1) * np.where(z > -2, 1.0, 0.25)
    scaled = lambda d: d * frame.scale
    offset, identity, kept = I.basis(assets, s.kept, lambda d: settle(scaled(d), base, still), front)
    base = base + offset
    for part, move in SET_RIGHT.items():
        base[np.unique(s.quads[s.part == part])] += move
    expression = scaled(np.stack([assets.unit(name)[s.kept] for name in P.EXPRESSION]))
    matrix, quads = T.catmull_clark(len(base), s.quads)
    out = {
        "base": base, "faces": T.triangles(s.quads), "part": np.repeat(s.part, 2), "identity": identity, "expression": expression,
        "data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr,
        "fine_faces": T.triangles(quads), "fine_part": np.repeat(s.part, 8), "kept": s.kept, "variance": np.array(kept),
    }  # fmt: skip
    shape = lambda: X.structure(base, s.quads, s.part, s.kept, expression[P.UNIT["jawOpen"]])
    base += X.overlapping(base, shape())
    shapes = shape()
    out["identity"] = X.closed(identity, shapes)  # nobody's lips part at rest
    out |= {"shape_" + name: a for name, a in shapes.items()}
    out["base"], out["ao"] = base, occlusion(matrix @ base, out["fine_faces"], out["fine_part"])
    uv = T.fine_uv(assets.uv[s.uv_quads])
    out["uv"] = np.stack([uv[:, [0, 1, 2]], uv[:, [0, 2, 3]]], 1).reshape(-1, 3, 2)
    for name, m in masks.build(assets, out, matrix).items():
        out["mask_" + name] = m
    small = lambda a: a.astype(np.float32) if a.dtype == np.float64 else a.astype(np.int32)
    return {k: small(v) for k, v in out.items()}


class Head:
    """`base [N,3]`, `faces [T,3]`, `part [T]`; `subdivide [M,N]`, `fine_faces`, `fine_part`, `uv [T',3,2]`, `masks`, `neutral_fine [M,3]`."""

    def __init__(self):
        code = b"".join((Path(__file__).parent / name).read_bytes() for name in SOURCES)
        path = A.home() / "training" / "anny" / f"head-{hashlib.sha256(code).hexdigest()[:12]}.npz"
        if not path.exists():
            part = path.with_suffix(f".{os.getpid()}.npz")
            np.savez(part, **build())
            part.rename(path)
        with np.load(path) as f:
            d = {k: f[k] for k in f.files}
        self.base, self.faces, self.part = d["base"], d["faces"], d["part"]
        self.shape = X.Shape(self.base, d["identity"], d["expression"], {k[6:]: v for k, v in d.items() if k.startswith("shape_")})
        self.subdivide = sp.csr_matrix((d["data"], d["indices"], d["indptr"]), shape=(len(d["indptr"]) - 1, len(self.base)))
        self.fine_faces, self.fine_part, self.uv = d["fine_faces"], d["fine_part"], d["uv"]
        self.masks = {k[5:]: v for k, v in d.items() if k.startswith("mask_")}
        self.variance = d["variance"]  # shares of the local shapes' variance in the identity: symmetric, asymmetric
        self._fine_balls = {side: np.unique(self.fine_faces[self.fine_part == side]) for side in (EYE_L, EYE_R)}
        self.neutral_fine = self.fine(self.base)
        self.ao = d["ao"]

    def coarse(self, identity, expression):
        """identity [40], expression [52] -> the coarse mesh [N,3]."""
        f = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)[None]
        with torch.no_grad():
            return self.shape(f(identity), f(expression))[0].numpy()

    def fine(self, coarse):
        """The coarse mesh [N,3] subdivided, [M,3], with eyeballs that are spheres."""
        fine = self.subdivide @ coarse
        for side, at in self._fine_balls.items():
            centre, radius, _ = self.eye(coarse, side)
            away = fine[at] - centre
            fine[at] = centre + away * (radius / np.linalg.norm(away, axis=1, keepdims=True))
        return fine

    def eye(self, coarse, side):
        """Centre [3], radius and gaze direction [3] of the eyeball `side` (EYE_L, EYE_R) in a coarse mesh."""
        centre, radius, axis = self.shape.eye(torch.as_tensor(coarse)[None], "Left" if side == EYE_L else "Right")
        return centre[0, 0].numpy(), float(radius), axis[0].numpy()
