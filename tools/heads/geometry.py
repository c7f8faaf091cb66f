"""The morphable model of the human head: coefficients to deformation anchors, landmarks and lip contour, differentiable in torch.

Frame, camera, pose and crop are those of `tools.pack.geometry`. Anchors: the face mesh's 468 landmarks, then `STILL` points of skull, ears and
neck that hold the back of the head still, then the eyes' (`tools.pack.gaze`).
"""

import numpy as np
import torch

from ..pack import gaze
from ..pack import mesh as M
from ..pack.geometry import DISTANCE, ORIGIN, SCALE, TAN, camera_rays, pixel_rays, project, rotation  # noqa: F401  the same camera
from . import expressions as X
from . import head as H
from . import landmarks as L
from . import params as P

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
        rows = [rows[i] for i in range(LANDMARKS)] + [head.subdivide[i] for i in still(head)]
        self.skin_count = LANDMARKS + STILL
        self._take(head.shape, [(r.indices, r.data) for r in rows])
        self.register_buffer("origin", torch.tensor(ORIGIN))
        zero = torch.zeros(1, P.IDENTITY + P.E)
        base = self.centimetres(zero[:, : P.IDENTITY], zero[:, P.IDENTITY :])[0].numpy()
        self.eyes = gaze.Eyes(base)
        self.anchor_count = self.skin_count + self.eyes.count

    def _take(self, shape, rows):
        """Keeps what the points `rows`, lists of coarse vertices and weights, need of the shape."""
        self.shape, number = shape.cut(np.unique(np.concatenate([r[0] for r in rows])))
        most = max(len(r[0]) for r in rows)
        at, weights = np.zeros((len(rows), most), np.int64), np.zeros((len(rows), most), np.float32)
        for i, (vertices, w) in enumerate(rows):
            at[i, : len(w)], weights[i, : len(w)] = number[vertices], w
        self.register_buffer("at", torch.tensor(at))
        self.register_buffer("weights", torch.tensor(weights))

    def cut(self, count):
        """Drops all but the first `count` points (at least the 468 landmarks)."""
        at, weights = self.at[:count].numpy(), self.weights[:count].numpy()
        self._take(self.shape, [(a[w != 0], w[w != 0]) for a, w in zip(at, weights)])
        return self

    def centimetres(self, identity, expression):
        """Points of the skin in centimetres [n,V,3] from identity [n,40] and expression [n,52]."""
        return torch.einsum("nvkx,vk->nvx", self.shape(identity, expression)[:, self.at], self.weights)

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
