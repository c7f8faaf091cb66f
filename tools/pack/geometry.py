"""The morphable model: coefficients to base mesh, landmarks and lip contour, differentiable in torch.

Units: one model unit is half the crop's side at the head's plane (`SCALE` centimetres). Head frame: x to the image's right,
y up, z to the viewer, origin between the eyes' height and 1.5 cm deep. The camera is fixed at (0, 0, DISTANCE) and looks along
-z with a field of view of 12 degrees; the head moves: X_camera = R·X + t, R = Ry(yaw)·Rx(pitch)·Rz(roll). Positive yaw turns the
face to the image's right, positive pitch nods down, positive roll leans to the image's left (counter-clockwise).
"""

import math

import numpy as np
import torch

from . import gaze
from . import mesh as M
from . import params as P

SCALE, ORIGIN = 12.6, (0.0, 1.9, 1.5)
DISTANCE, TAN = 9.5, math.tan(math.radians(6.0))
JAW = 0.30  # radians at jaw = 1
HINGE = (0.5, -1.5)  # y, z of the jaw's axis
LIDS = (M.EYE_L_UPPER[1:-1] + M.EYE_R_UPPER[1:-1], M.EYE_L_LOWER[1:-1] + M.EYE_R_LOWER[1:-1])  # pairs that meet in a blink
LID_GAP = 0.03  # what is left of an eye's opening at blink = 1
SPREAD = 1.2  # identity directions as a whole; single ones were tuned at 1
ANCHOR_RINGS = 6  # skull rings among the deformation anchors: they hold the back of the head still


def _bases(head):
    v = head.base
    x, y, z = v.T
    n = len(v)
    zero = np.zeros(n)
    face = 1 - head.is_skull

    def bump(p, s):
        return np.exp(-(((v - p) / s) ** 2).sum(1))

    def both(p, s):  # image right, image left
        return bump(np.array(p, float), s), bump(np.array(p, float) * [-1, 1, 1], s)

    def d(x=zero, y=zero, z=zero):
        return np.stack([x + zero, y + zero, z + zero], 1)

    s = M.step
    identity = []
    low = s(0, -7, y)
    identity += [d(x * 0.045), d(y=(y - 1.9) * 0.035), d(z=(z - 1) * 0.04)]
    identity += [d(x * 0.07 * low), d(y=-0.5 * s(-5, -9, y) * (1 - head.is_skull * 0.5)), d(z=0.5 * bump([0, -8.5, 4], [3, 2.5, 3]))]
    a, b = both([5.5, -1, 2], [2.5, 2.5, 3])  # cheeks
    identity.append(d(0.45 * (a - b), z=0.2 * (a + b)))
    nose = bump([0, -1.2, 6.5], [1.8, 1.6, 3])
    identity += [d(z=0.5 * nose), d(y=0.4 * nose)]
    a, b = both([1.2, -1.6, 5.5], [0.9, 1.0, 2])  # nostrils
    identity.append(d(0.28 * (a - b)))
    identity.append(d(z=0.35 * bump([0, 1.5, 5.5], [0.9, 1.8, 2])))  # bridge
    a, b = both([3.1, 2.6, 3.5], [2, 1.3, 3])  # eyes: apart, high, open, wide, tilted
    yy = y - 2.62
    identity += [d(0.22 * (a - b)), d(y=0.25 * (a + b)), d(y=0.17 * yy * (a + b))]
    identity.append(d(0.12 * ((x - 3.1) * a + (x + 3.1) * b)))
    identity.append(d(y=0.14 * ((x - 3.1) * a - (x + 3.1) * b)))
    a, b = both([3.2, 4.6, 4], [2.4, 0.9, 3])
    identity.append(d(y=0.3 * (a + b), z=0.1 * (a + b)))  # brow ridge
    m = bump([0, -4.35, 5], [3.2, 1.6, 3])
    identity += [d(0.13 * x * m), d(y=0.4 * m), d(z=0.3 * m)]
    upper, lower = bump([0, -3.7, 5.5], [2.4, 0.55, 2]), bump([0, -5.0, 5.5], [2.2, 0.6, 2])
    identity += [d(y=0.16 * upper, z=0.1 * upper), d(y=-0.18 * lower, z=0.1 * lower)]
    identity += [d(y=0.5 * s(5.5, 8.5, y) * face), d(z=0.5 * bump([0, 6.5, 4.5], [5, 2.5, 3]))]

    in_upper = {i for r in M.LIPS_U for i in r[1:-1]}
    in_lower = {i for r in M.LIPS_L for i in r[1:-1]}
    jaw = s(-3.4, -6.2, y) * s(7.2, 4.2, np.abs(x)) * s(-3.0, 1.5, z)
    jaw = np.maximum(jaw, 0.55 * s(-1, -6.5, y) * s(-4, 1, z) * (1 - head.is_skull * 0.3))
    jaw[list(in_upper)], jaw[list(in_lower)], jaw[list(M.CORNERS)] = 0, 1, 0.42

    mouth = bump([0, -4.35, 5], [3.6, 2.0, 3])
    right, left = both([2.6, -4.4, 4.3], [1.5, 1.5, 2])
    cheek_r, cheek_l = both([4.3, -1.5, 3.5], [1.8, 1.8, 2])
    wide = d(0.16 * x * mouth, z=-0.1 * mouth)
    pucker = d(-0.32 * x * mouth, z=0.6 * bump([0, -4.35, 5.5], [1.8, 1.6, 3]))
    smile = d(0.35 * (right - left), 0.5 * (right + left) + 0.2 * (cheek_r + cheek_l), -0.15 * (right + left))
    press = d()  # rolls the lips in: the outer rings move to the lip line
    for ring, k in ((0, 0.22), (1, 0.30), (2, 0.2)):
        for u, l in zip(M.LIPS_U[ring][1:-1], M.LIPS_L[ring][1:-1]):
            line = (v[M.LIPS_U[3], 1].mean() + v[M.LIPS_L[3], 1].mean()) / 2
            press[u] += [0, k * (line - v[u, 1]), -0.28 * (1 - ring / 4)]
            press[l] += [0, k * (line - v[l, 1]), -0.28 * (1 - ring / 4)]
    arc = np.exp(-((x / 2) ** 2))
    raise_, drop = np.zeros(n), np.zeros(n)
    raise_[list(in_upper)], drop[list(in_lower)] = 1, 1
    near = bump([0, -2.9, 5.5], [2.4, 0.7, 3]), bump([0, -6.0, 5.0], [2.6, 0.8, 3])
    raise_, drop = np.maximum(raise_, 0.6 * near[0] * (y > -3.6)), np.maximum(drop, 0.7 * near[1] * (y < -5.0))
    upper_raise, lower_drop = d(y=0.38 * raise_ * arc), d(y=-0.38 * drop * arc)
    blinks = []
    for low_lid, up_lid, above in (
        (M.EYE_L_LOWER, M.EYE_L_UPPER, M.LID_L_ABOVE),
        (M.EYE_R_LOWER, M.EYE_R_UPPER, M.LID_R_ABOVE),
    ):
        blink = d()
        blink[up_lid[1:-1]] = [0, 0, 0.05]  # the lids' own travel is that of `LIDS`
        blink[above] = [0, -0.28, 0.06]
        blink[low_lid[1:-1]] = [0, 0.04, 0]
        blinks.append(blink)
    a, b = both([3.2, 4.8, 4], [3, 1.2, 3])
    brow = d(y=0.6 * (a + b))
    expression = [d(), wide, pucker, press, smile, upper_raise, lower_drop, *blinks, brow, d(), d()]

    close = np.zeros((2, n))  # how far upper and lower lip follow when `press` shuts a gap
    for ring, k in ((3, 1.0), (2, 0.95), (1, 0.7), (0, 0.45)):
        close[0, M.LIPS_U[ring][1:-1]] = k
        close[1, M.LIPS_L[ring][1:-1]] = k
    chin = bump([0, -6.2, 5.0], [2.6, 1.0, 3]) * (y < -5.3)
    close[1] = np.maximum(close[1], 0.3 * chin)
    return SPREAD * np.array(identity), np.array(expression), jaw, close


class Morphable(torch.nn.Module):
    """Buffers only; every function is differentiable and batched over coefficients."""

    def __init__(self, head=None):
        super().__init__()
        head = head or M.Head()
        identity, expression, jaw, close = _bases(head)
        n = len(head.base)
        f = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)
        self.register_buffer("base", f(head.base))
        self.register_buffer("identity", f(identity.reshape(P.IDENTITY, n * 3)))
        self.register_buffer("expression", f(expression.reshape(P.E, n * 3)))
        self.register_buffer("jaw", f(jaw))
        # every vertex looks up the gap of its nearest pair of the inner lip contour
        pairs = np.array([M.LIPS_U[3][1:-1], M.LIPS_L[3][1:-1]])
        px = head.base[pairs[0], 0]
        tent = np.maximum(0, 1 - np.abs(head.base[:, :1] - px[None]) / 0.55)
        tent /= np.maximum(tent.sum(1, keepdims=True), 0.25)
        self.register_buffer("pairs", torch.tensor(pairs))
        self.register_buffer("close_upper", f(close[0][:, None] * tent))
        self.register_buffer("close_lower", f(close[1][:, None] * tent))
        lids = np.zeros((n, len(LIDS[0])))
        lids[LIDS[0], np.arange(len(LIDS[0]))] = 1
        self.register_buffer("lid_pairs", torch.tensor(np.array(LIDS)))
        self.register_buffer("lids", f(lids))
        self.register_buffer("origin", f(ORIGIN))
        self.eyes = gaze.Eyes(head.base)
        self.skin_count = 468 + ANCHOR_RINGS * 36
        self.anchor_count = self.skin_count + self.eyes.count

    def cut(self, count):
        """Drops all but the first `count` vertices (at least the 468 of the face)."""
        n = len(self.base)
        for name in ("base", "jaw", "close_upper", "close_lower", "lids"):
            setattr(self, name, getattr(self, name)[:count].clone())
        for name in ("identity", "expression"):
            b = getattr(self, name)
            setattr(self, name, b.reshape(len(b), n, 3)[:, :count].reshape(len(b), -1).clone())
        return self

    def centimetres(self, identity, expression):
        """Base mesh in centimetres [n,N,3] from identity [n,24] and expression [n,12]."""
        n = identity.shape[0]
        v = self.base[None] + (identity @ self.identity + expression @ self.expression).reshape(n, -1, 3)
        # a blink takes every upper lid to its lower one, whatever the eye's shape
        per_pair = expression[:, 7:9].repeat_interleave(len(LIDS[0]) // 2, 1).clamp(min=0)[..., None]
        travel = per_pair * (v[:, self.lid_pairs[1]] - v[:, self.lid_pairs[0]]) * (1 - LID_GAP)
        v = v + self.lids[: v.shape[1]] @ (travel * travel.new_tensor([0.0, 1.0, 1.0]))
        angle = JAW * expression[:, :1] * self.jaw[None]
        x, y, z = v[..., 0], v[..., 1] - HINGE[0], v[..., 2] - HINGE[1]
        c, s = torch.cos(angle), torch.sin(angle)
        y, z = y * c - z * s + HINGE[0], y * s + z * c + HINGE[1]
        # press shuts a gap of up to 0.9 cm between the lips
        gap = (y[:, self.pairs[0]] - y[:, self.pairs[1]] - 0.02).clamp(min=0)
        shut = torch.minimum(gap, 0.9 * expression[:, 3:4].clamp(min=0).expand_as(gap))
        y = y - 0.4 * (shut @ self.close_upper.t()) + 0.6 * (shut @ self.close_lower.t())
        return torch.stack([x, y, z], -1)

    def head_frame(self, identity, expression):
        """The same in model units and the head frame."""
        return (self.centimetres(identity, expression) - self.origin) / SCALE

    def forward(self, coefficients):
        """coefficients [n,K] -> vertices [n,V,3], landmarks [n,468,2], contour [n,20,2] (see docs/packs.md)."""
        identity, expression, pose = split(coefficients)
        v = self.head_frame(identity, expression)
        xy = project(v[:, :468], pose)
        # Lids slide over eyes that stay where they are.
        awake = torch.cat([expression[:, :7], expression[:, 7:9].clamp(max=0), expression[:, 9:]], 1)
        eyes = self.eyes(self.head_frame(identity, awake), expression[:, 10:12])
        anchors = torch.cat([v[:, : self.skin_count], eyes], 1)
        return anchors, xy, xy[:, M.CONTOUR]


def split(coefficients):
    """coefficients [n,K] -> identity [n,24], expression [n,12], pose [n,6]."""
    return coefficients[:, : P.IDENTITY], coefficients[:, P.SLOT["expression"]], coefficients[:, P.STYLE :]


def rotation(pose):
    """pose [n,6] -> R [n,3,3] = Ry(yaw)·Rx(pitch)·Rz(roll)."""
    p, y, r = pose[:, 0], pose[:, 1], pose[:, 2]
    cp, sp, cy, sy, cr, sr = torch.cos(p), torch.sin(p), torch.cos(y), torch.sin(y), torch.cos(r), torch.sin(r)
    rows = [
        cy * cr + sy * sp * sr, -cy * sr + sy * sp * cr, sy * cp,
        cp * sr, cp * cr, -sp,
        -sy * cr + cy * sp * sr, sy * sr + cy * sp * cr, cy * cp,
    ]  # fmt: skip
    return torch.stack(rows, -1).reshape(-1, 3, 3)


def project(v, pose):
    """Head-frame points [n,N,3] -> crop coordinates [n,N,2] in [0,1], x right, y down."""
    c = v @ rotation(pose).transpose(1, 2) + pose[:, None, 3:]
    k = 0.5 / (TAN * (DISTANCE - c[..., 2:]))
    return torch.cat([0.5 + c[..., :1] * k, 0.5 - c[..., 1:2] * k], -1)


def pixel_rays(pose, xs, ys, side):
    """Rays through the centres of pixels xs, ys [n,N] of a picture of `side` pixels, in the head frame.

    origins and directions [n,N,3]; directions have length one along the camera's axis, so ray parameters are camera depths.
    """
    nx, ny = ((xs + 0.5) / side * 2 - 1) * TAN, (1 - (ys + 0.5) / side * 2) * TAN
    r = rotation(pose)
    eye = torch.cat([-pose[:, 3:5], DISTANCE - pose[:, 5:6]], 1)
    o = torch.einsum("ni,nij->nj", eye, r)[:, None]
    d = torch.stack([nx, ny, -torch.ones_like(nx)], -1) @ r
    return o.expand_as(d), d


def camera_rays(pose, side):
    """Rays of a whole picture of side x side pixels, row by row: origins and directions [n, side², 3]."""
    at = torch.arange(side, dtype=torch.float32)
    xs = at[None].expand(side, side).reshape(1, -1)
    ys = at[:, None].expand(side, side).reshape(1, -1)
    return pixel_rays(pose, xs + pose[:, :1] * 0, ys + pose[:, :1] * 0, side)
