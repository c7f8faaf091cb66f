"""Weights that follow from the names of tensors: anyone can make them, so that numbers recorded with them need no checkpoint."""

import json
from pathlib import Path

import torch

from ..numbers import normal
from .configuration import Configuration
from .generator import Generator, build


def state(table: dict) -> dict[str, torch.Tensor]:
    """A state dict from a table name -> (shape, mean, standard deviation)."""
    return {name: mean + std * normal(name, shape) for name, (shape, mean, std) in table.items()}


def generator(path: str | Path) -> Generator:
    """The generator whose `resolution` and table of `weights` are in a JSON file."""
    recorded = json.loads(Path(path).read_text())
    tensors = state(recorded["weights"]) | {"mapping.w_avg": torch.zeros(512)}
    return build(Configuration(resolution=recorded["resolution"]).arguments(), tensors)
