"""A person framed as FFHQ frames faces, and one row of a shard drawn."""

import numpy as np
import torch

from . import params as P
from . import people
from .crop import reduce
from .view import DISTANCE

FAR = 9  # the depth, less DISTANCE, of where nothing is


def random_person(rng):
    """p [D] of a random plausible person with a random expression (numpy generator)."""
    z = torch.tensor(rng.normal(size=(1, P.Z)), dtype=torch.float32)
    p = people.plausible(z, torch.ones(1))[0].numpy()
    p[P.SLOT["expression"]] = people.draw_expression(rng)
    return p


def picture(renderer, p, pose, side=256):
    """image uint8 [side,side,3], alpha uint8 and labels [side,side]; depth (float16, camera depth less DISTANCE) and mask (uint8, coverage) of half the side."""
    d = renderer.draw(p, pose, side)
    depth = d["depth"][2::4, 2::4] - DISTANCE
    byte = lambda a: (a * 255 + 0.5).astype(np.uint8)
    return {
        "image": (reduce(d["big"].astype(np.float32), 2) + 0.5).astype(np.uint8),
        "alpha": byte(reduce(d["alpha"], 2)),
        "labels": d["labels"][1::2, 1::2],
        "depth": np.where(np.isfinite(depth), depth, FAR).astype(np.float16),
        "mask": byte(reduce(d["alpha"], 4)),
    }
