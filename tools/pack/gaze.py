"""Points on the eyes, between the lids, that turn with the gaze: deformation anchors, so that the irises of any person move.

An eye is the patch that its lids span. A place on it is (u, v) in [-1, 1]²: along the corners and from the lower lid to the upper. A turn of the
eye takes u to (u + s)/(1 + s·u): the corners stay, what looks straight ahead goes to s, and on the far side it is foreshortened, as on a ball.
"""

import numpy as np
import torch

from . import mesh as M

COLUMNS, ROWS = 9, 5
EXTENT = 0.85  # the outermost points, so that they are not the lids'
# What a gaze of 1 turns the middle of the iris by, in half widths and half heights of the eye. What is rendered is pulled back by the lids'
# anchors beside it, to 0.19 and 0.11 of the eye's width: as far as shade.py paints it.
TURN = (0.6, 0.7)


class Eyes(torch.nn.Module):
    """Both eyes' points, from the vertices of a face and its gaze."""

    def __init__(self, base):
        super().__init__()
        grid = np.stack(np.meshgrid(np.linspace(-EXTENT, EXTENT, COLUMNS), np.linspace(-0.7, 0.7, ROWS)), -1).reshape(-1, 2)
        f = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)
        self.register_buffer("grid", f(grid))
        lids = [(M.EYE_R_UPPER, M.EYE_R_LOWER), (M.EYE_L_UPPER[::-1], M.EYE_L_LOWER[::-1])]  # from the image's left to its right
        self.register_buffer("upper", torch.tensor(np.array([upper for upper, _ in lids])))
        self.register_buffer("lower", torch.tensor(np.array([lower for _, lower in lids])))
        along = base[self.upper.numpy(), 0]
        along = 2 * (along - along[:, :1]) / (along[:, -1:] - along[:, :1]) - 1
        self.register_buffer("along", f(along))
        self.count = 2 * len(grid)

    def forward(self, v, gaze):
        """v `[n,N,3]` and gaze `[n,2]` (to the image's right, up) -> `[n,count,3]`."""
        turn = gaze * gaze.new_tensor(TURN)
        s = turn[:, None].clamp(-0.9, 0.9)
        u, w = ((self.grid + s) / (1 + s * self.grid)).unbind(-1)
        places = []
        for eye in range(2):
            at = self.along[eye]
            # Between two points of the lids, linearly.
            gap = at[1:] - at[:-1]
            before = (u[..., None] - at[:-1]) / gap
            after = (at[1:] - u[..., None]) / gap
            share = torch.cat([after[..., :1], torch.minimum(before[..., :-1], after[..., 1:]), before[..., -1:]], -1).clamp(0, 1)
            upper, lower = v[:, self.upper[eye]], v[:, self.lower[eye]]
            middle, half = (upper + lower) / 2, (upper - lower) / 2
            places.append(share @ middle + w[..., None] * (share @ half))
        return torch.cat(places, 1)
