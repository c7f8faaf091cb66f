"""Optimisation phases and their files, as section "Optimisations" of docs/packs.md describes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import torch

from .export import export
from .trace import Tensors

Function = Callable[..., Tensors]


@dataclass
class Phase:
    """One phase. Every function takes named tensors (it ignores those that it does not need) and gives named tensors."""

    name: str
    init: Function
    step: Function
    finish: Function
    steps: int | dict[str, int]  # or by quality: draft, standard, fine
    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    ramp_up: float = 0.0  # fraction of the steps over which the learning rate rises linearly
    ramp_down: float = 0.0  # fraction of the steps over which it falls to zero, as a cosine
    view: Function | None = None
    view_step: Function | None = None
    view_every: int = 0
    randoms: int = 0  # U: uniform numbers that `view` takes
    noises: int = 0  # G: normal numbers that the steps take
    stop: dict = field(default_factory=dict)
    settle: dict = field(default_factory=dict)

    def schedule(self) -> dict:
        numbers = {key: getattr(self, key) for key in ("steps", "learning_rate", "beta1", "beta2", "ramp_up", "ramp_down")}
        return numbers | ({"view_every": self.view_every} if self.view else {}) | {key: found for key in ("stop", "settle") if (found := getattr(self, key))}


def example_step(phase: Phase, tensors: Tensors, params: torch.Tensor) -> Tensors:
    """Example inputs of the phase's step: what the host gives it, besides `tensors`."""
    host = {"params": params, "m": torch.zeros_like(params), "v": torch.zeros_like(params),
            "step_size": torch.tensor([0.01]), "bias2": torch.tensor([0.1]), "progress": torch.tensor([0.0])}
    return host | ({"noise": torch.randn(phase.noises)} if phase.noises else {}) | tensors


def export_phase(optimisation: str, phase: Phase, tensors: Tensors, folder: str | Path) -> tuple[dict, Tensors]:
    """Write the graphs of a phase to `folder`; gives its entry for pack.yaml and the set of tensors after it.

    `tensors` are examples of what the set holds when the phase starts: their shapes are baked in.
    """
    files = {}

    def write(part: str, function: Function, example: Tensors):
        files[part] = f"{optimisation}_{phase.name}_{part}.onnx"
        return export(function, example, Path(folder) / files[part])

    with torch.no_grad():
        write("init", phase.init, tensors)
        started = phase.init(**tensors)
        params = started.pop("params")
        known = tensors | started
        seen = known
        if phase.view is not None:
            random = {"random": torch.rand(phase.randoms)}
            write("view", phase.view, known | random)
            seen = known | phase.view(**known, **random)
        write("step", phase.step, example_step(phase, known, params))
        if phase.view_step is not None:
            write("view_step", phase.view_step, example_step(phase, seen, params))
        finishing = known | {"params": params}
        write("finish", phase.finish, finishing)
        return {"name": phase.name, **files, **phase.schedule()}, tensors | phase.finish(**finishing)
