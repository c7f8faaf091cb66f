"""Weights that follow from the names of tensors: anyone can make them again, so numbers recorded with them need no checkpoint."""

import math
import zlib

import numpy as np
import torch


def normal(name: str, shape) -> torch.Tensor:
    """Standard normal numbers that follow from `name`."""
    return torch.from_numpy(np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(shape), dtype=np.float32))


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """A state dict of the networks other than the generator: numbers that keep signals of all layers about as large."""
    return {name: _weight(name, shape) for name, shape in shapes.items()}


def _weight(name, shape):
    x = normal(name, shape)
    if name.endswith("running_var"):
        return x.abs() / 2 + 0.5
    if name.endswith(("running_mean", ".bias")):
        return x / 10
    if len(shape) == 1:
        return 1 + x / 10
    return x / math.sqrt(x[0].numel())
