"""Planes of several expressions from a few learned maps, as one operator: `TriplaneMix` of docs/packs.md.

As plain operators the sums, paddings and transpositions write the planes a dozen times over, which takes longer than all
else that `lipaint_state` does.
"""

import torch
import torch.nn.functional as F
from torch.onnx import register_custom_op_symbolic, symbolic_helper

from .fused import DOMAIN

NAME = "TriplaneMix"
BATCHED = ("coarse", "shares", "mixes", "planes")  # inputs and output whose first axis is the states


def windows(config):
    """Where a generator's learned maps lie: plane, left, top, width, height and count of each group."""
    whole = [(plane, 0, 0, config.plane_side, config.plane_side, count) for plane, count in enumerate(config.details)]
    return whole + list(config.windows)


class Plain(torch.nn.Module):
    """The operator's body, of square planes: coarse [n,h,w,3,C], fixed [J,3,H,W,C], shares [n,J], maps [all maps' texels], mixes [n,K,C] -> planes [n,3,H,W,C]."""

    def __init__(self, places):
        super().__init__()
        self.places = places

    def forward(self, coarse, fixed, shares, maps, mixes):
        _, low, _, _, channels = coarse.shape
        side = fixed.shape[2]
        rows = coarse.reshape(-1, low, low, 3 * channels).permute(0, 3, 1, 2)
        rows = F.interpolate(rows, size=(side, side), mode="bilinear", align_corners=False)
        planes = [rows[:, plane * channels : (plane + 1) * channels] for plane in range(3)]
        at = first = 0
        for plane, left, top, width, height, count in self.places:
            map_ = maps[at : at + count * width * height].reshape(count, width * height)
            part = (mixes[:, first : first + count].transpose(1, 2) @ map_).reshape(-1, channels, height, width)
            planes[plane] = planes[plane] + F.pad(part, (left, side - left - width, top, side - top - height))
            at, first = at + count * width * height, first + count
        sums = torch.stack(planes, 1).permute(0, 1, 3, 4, 2)
        return sums + (shares @ fixed.reshape(fixed.shape[0], -1)).reshape(-1, 3, side, side, channels)


@torch.library.custom_op("talkgraph::triplane_mix", mutates_args=())
def mix(coarse: torch.Tensor, fixed: torch.Tensor, shares: torch.Tensor, maps: torch.Tensor, mixes: torch.Tensor, windows: list[int]) -> torch.Tensor:
    """`Plain` of the flat list of `windows`, which the exporter keeps as a call of the operator."""
    return Plain(list(zip(*[iter(windows)] * 6)))(coarse, fixed, shares, maps, mixes)


def _call(g, coarse, fixed, shares, maps, mixes, windows):
    planes = g.op(f"{DOMAIN}::{NAME}", coarse, fixed, shares, maps, mixes, windows_i=symbolic_helper._parse_arg(windows, "is"))
    return planes.setType(coarse.type().with_sizes([None] * 5))


register_custom_op_symbolic("talkgraph::triplane_mix", _call, 20)


def examples(config, states=2):
    """Inputs of `Plain` by name, for tracing it."""
    c, side, groups = config.channels, config.plane_side, windows(config)
    sizes = {
        "coarse": (states, config.basis_side, config.basis_side, 3, c), "fixed": (2, 3, side, side, c), "shares": (states, 2),
        "maps": (sum(width * height * count for *_, width, height, count in groups),), "mixes": (states, sum(count for *_, count in groups), c),
    }  # fmt: skip
    return {name: torch.randn(size) for name, size in sizes.items()}
