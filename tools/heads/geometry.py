"""The morphable model of the human head: coefficients to deformation anchors, landmarks and lip contour, differentiable in torch.

Frame, camera, pose and crop are those of `view.py`. Anchors: the face mesh's 468 landmarks, then `STILL` points of skull, ears and
neck that hold the back of the head still, then the eyes' (`gaze.py`).
"""

import numpy as np
import scipy.sparse as sp
import torch

from . import expressions as X
from . import gaze
from . import head as H
from . import landmarks as L
from . import params as P
from . import points as M
from .view import DISTANCE, ORIGIN, SCALE, TAN, camera_rays, pixel_rays, project, rotation  # noqa: F401  the same camera

LANDMARKS, STILL = 468, 216
LOWEST = -15.0  # of the still points, centimetres
_UNITS = [X.U[f"eyeLook{way}{side}"] for side in ("Left", "Right") for way in ("Out", "In", "Up", "Down")]
_BLINKS = [X.U["eyeBlinkLeft"], X.U["eyeBlinkRight"]]


def still(head):
    """Fine vertices [STILL] of the skin off the face, far from each other."""
    v = head.neutral_fine
    skin = np.unique(head.fine_faces[head.fine_part == H.SKIN])
    off = (head.masks["face"] < 0.3) & (head.masks["mouth_inside"] < 0.1) & (v[:, 1] > LOWEST)
    at = skin[off[skin]]
    chosen, far = [at[v[at, 1].argmax()]], np.full(len(at), np.inf)
    while len(chosen) < STILL:
        far = np.minimum(far, np.linalg.norm(v[at] - v[chosen[-1]], axis=1))
        chosen.append(at[far.argmax()])
    return np.array(chosen)


class Morphable(torch.nn.Module):
    """Buffers only; every function is differentiable and batched over coefficients."""

    def __init__(self, head=None):
        super().__init__()
        head = head or H.Head()
        at, weights = L.load()
        rows = sum(head.subdivide[at[:, i]].multiply(weights[:, i : i + 1]) for i in range(3)).tocsr()
        rows = sp.vstack([rows, head.subdivide[still(head)]]).tocsr()
        self.skin_count = LANDMARKS + STILL
        self._take(head.shape, rows)
        self.register_buffer("origin", torch.tensor(ORIGIN))
        zero = torch.zeros(1, P.IDENTITY + P.E)
        base = self.centimetres(zero[:, : P.IDENTITY], zero[:, P.IDENTITY :])[0].numpy()
        self.eyes = gaze.Eyes(base)
        self.anchor_count = self.skin_count + self.eyes.count

    def _take(self, shape, rows):
        """Keeps of `shape` what the points need whose weights over its vertices are `rows` [V,N]: their own linear directions, and the vertices by lids and lips."""
        identity, units, blinks = (a.numpy() for a in shape.directions())
        bent = (shape.lips_up.numpy() != 0).any(1) | (shape.lips_down.numpy() != 0).any(1)
        for side in ("Left", "Right"):
            bent[getattr(shape, f"zone_{side}").numpy()] = True
        bent &= np.asarray(abs(rows).sum(0)).ravel() > 0
        self.shape, kept = shape.cut(np.flatnonzero(bent))
        of = lambda directions: torch.tensor(np.stack([rows @ d for d in directions]).reshape(len(directions), -1), dtype=torch.float32)
        self.register_buffer("base", torch.tensor(rows @ shape.base.numpy(), dtype=torch.float32))
        for name, directions in (("identity", identity), ("units", units), ("blinks", blinks)):
            self.register_buffer(name, of(directions))
        # What is put right at vertices moves a point by its weights of them.
        of_kept = rows[:, kept].tocsr()
        most = np.diff(of_kept.indptr).max()
        at, weights = np.zeros((len(self.base), most), np.int64), np.zeros((len(self.base), most), np.float32)
        for i in range(len(at)):
            span = slice(of_kept.indptr[i], of_kept.indptr[i + 1])
            at[i, : span.stop - span.start], weights[i, : span.stop - span.start] = of_kept.indices[span], of_kept.data[span]
        self.register_buffer("at", torch.tensor(at))
        self.register_buffer("weights", torch.tensor(weights))

    def cut(self, count):
        """Drops all but the first `count` points (at least the 468 landmarks)."""
        for name in ("base", "at", "weights"):
            setattr(self, name, getattr(self, name)[:count].clone())
        for name in ("identity", "units", "blinks"):
            setattr(self, name, getattr(self, name)[:, : 3 * count].clone())
        return self

    def centimetres(self, identity, expression):
        """Points of the skin in centimetres [n,V,3] from identity [n,40] and expression [n,52]."""
        units = X.possible(expression)
        points = self.base + (identity @ self.identity + units @ self.units + X.blinks(units) @ self.blinks).reshape(-1, *self.base.shape)
        v, moved = self.shape.linear(identity, units)
        right = self.shape.put_right(v, moved, units) - moved
        return points + (right[:, self.at] * self.weights[..., None]).sum(2)

    def head_frame(self, identity, expression):
        """The same in model units and the head frame."""
        return (self.centimetres(identity, expression) - self.origin) / SCALE

    def forward(self, coefficients):
        """coefficients [n,K] -> anchors [n,V,3], landmarks [n,468,2], contour [n,20,2]."""
        identity, expression, pose = split(coefficients)
        v = self.head_frame(identity, expression)
        xy = project(v[:, :LANDMARKS], pose)
        # Lids slide over eyes that stay where they are.
        awake = torch.cat([0 * expression[:, : _BLINKS[0] + 1], expression[:, _BLINKS[0] + 1 : _BLINKS[1]], 0 * expression[:, :1], expression[:, _BLINKS[1] + 1 :]], 1)
        lids = self.head_frame(identity, awake)
        out_l, in_l, up_l, down_l, out_r, in_r, up_r, down_r = expression[:, _UNITS].unbind(1)
        left = self.eyes(lids, torch.stack([out_l - in_l, up_l - down_l], 1))
        right = self.eyes(lids, torch.stack([in_r - out_r, up_r - down_r], 1))
        half = self.eyes.count // 2  # the person's right eye comes first
        return torch.cat([v, right[:, :half], left[:, half:]], 1), xy, xy[:, M.CONTOUR]


def split(coefficients):
    """coefficients [n,K] -> identity [n,40], expression [n,52], pose [n,6]."""
    return coefficients[:, : P.IDENTITY], coefficients[:, P.SLOT["expression"]], coefficients[:, P.STYLE :]
