"""The camera of the pack and how a head stands before it.

Units: one model unit is half the crop's side at the head's plane (`SCALE` centimetres). Head frame: x to the image's right,
y up, z to the viewer, origin between the eyes' height and 1.5 cm deep. The camera is fixed at (0, 0, DISTANCE) and looks along
-z with a field of view of 12 degrees; the head moves: X_camera = R·X + t, R = Ry(yaw)·Rx(pitch)·Rz(roll). Positive yaw turns the
face to the image's right, positive pitch nods down, positive roll leans to the image's left (counter-clockwise).
"""

import math

import torch

SCALE, ORIGIN = 12.6, (0.0, 1.9, 1.5)
DISTANCE, TAN = 9.5, math.tan(math.radians(6.0))


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
