"""Points on the eyes, between the lids, that turn with the gaze: deformation anchors, so that the irises of any person move.

An eye is the patch that its lids span. A place on it is (u, v) in [-1, 1]²: along the corners and from the lower lid to the upper. When the eye
turns, its points go on as they are, so that the iris stays round, and end under the lid before them; behind them what is white spreads up to the lid.
"""

import numpy as np
import torch

from . import points as M

COLUMNS, ROWS = 9, 5
EXTENT = 0.85  # the outermost points, so that they are not the lids'
EDGE = 0.95  # where points end under a lid
STIFF = 0.5  # from here to the lid behind, the white spreads
# What a gaze of 1 turns the middle of the iris by, in half widths and half heights of the eye. What is rendered is pulled back by the lids'
# anchors beside it: along the eye to about 0.2 of its width, as far as eyes look.
TURN = (0.5, 0.9)


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
        turn = (gaze * gaze.new_tensor(TURN))[:, None]
        way = torch.where(turn < 0, -1.0, 1.0)
        along, turn = self.grid * way, turn.abs()
        behind = -1 + (along + 1) * (1 - STIFF + turn) / (1 - STIFF)
        u, w = (way * torch.where(along < -STIFF, behind, (along + turn).clamp(max=EDGE))).unbind(-1)
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
