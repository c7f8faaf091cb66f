"""Cameras and rays. World: x to the viewer, y to the picture's right, z up; the camera sits at unit distance and looks at the origin.

A pose is that of the morphable model (Deng et al. 2019): rotation (pitch, yaw, roll) in radians; its translation plays no part, for the
generator was trained on faces aligned by their landmarks.
"""

import math

import torch

FRAME = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))  # the frontal camera's axes (right, up, backward) as columns
BACKGROUND_PITCH = 0.2  # of the camera that sees the background, whatever the frame's


def camera(pose):
    """pose [n,6] -> camera-to-world matrices [n,3,4]: axes, and the position, which is the third of them."""
    zero, one = torch.zeros_like(pose[:, 0]), torch.ones_like(pose[:, 0])
    (sx, sy, sz), (cx, cy, cz) = (f(pose[:, :3]).unbind(1) for f in (torch.sin, torch.cos))
    about_x = torch.stack([one, zero, zero, zero, cx, -sx, zero, sx, cx], 1).reshape(-1, 3, 3)
    about_y = torch.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], 1).reshape(-1, 3, 3)
    about_z = torch.stack([cz, -sz, zero, sz, cz, zero, zero, zero, one], 1).reshape(-1, 3, 3)
    axes = torch.tensor(FRAME) @ (about_z @ about_y @ about_x).transpose(1, 2)
    return torch.cat([axes, axes[:, :, 2:]], 2)


def background_camera(radius: float):
    """The camera-to-world matrix [1,3,4] of the one that always sees the background: a little below, looking up at the origin."""
    backward = torch.tensor([math.cos(BACKGROUND_PITCH), 0.0, -math.sin(BACKGROUND_PITCH)])
    right = torch.tensor([0.0, 1.0, 0.0])
    return torch.stack([right, torch.linalg.cross(backward, right), backward, radius * backward], 1)[None]


def rays(cameras, side: int, fov: float):
    """Cameras [n,3,4] or [n,4,4] -> origins and directions [n,side²,3] through the middles of pixels, row by row.

    A direction ends on the plane at unit distance before the camera: it is longer than 1 off the axis.
    """
    reach = (1 - 1 / side) * math.tan(math.radians(fov) / 2)
    along = torch.linspace(-reach, reach, side)
    down, across = torch.meshgrid(-along, along, indexing="ij")
    seen = torch.stack([across, down, -torch.ones_like(across)], -1).reshape(1, -1, 3)
    directions = seen @ cameras[:, :3, :3].transpose(1, 2)
    return cameras[:, None, :3, 3] + torch.zeros_like(directions), directions
