"""Flat parameters and the Adam update as pure functions of tensors."""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Group:
    """A named parameter: its shape and the factor by which its learning rate differs from the phase's."""

    name: str
    shape: tuple[int, ...]
    rate: float = 1.0

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """How named parameters lie in one flat vector `params [F]`, in order."""

    groups: tuple[Group, ...]

    @staticmethod
    def of(tensors: dict[str, torch.Tensor], rates: dict[str, float] | None = None) -> "Layout":
        """The layout of `tensors`; `rates` maps a name or the beginning of a name to a learning-rate factor."""
        rates = rates or {}

        def rate(name: str) -> float:
            fits = [prefix for prefix in rates if name.startswith(prefix)]
            return rates[max(fits, key=len)] if fits else 1.0

        return Layout(tuple(Group(n, tuple(t.shape), rate(n)) for n, t in tensors.items()))

    @property
    def size(self) -> int:
        return sum(group.size for group in self.groups)

    def flatten(self, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([tensors[group.name].reshape(-1) for group in self.groups])

    def unflatten(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = torch.split(flat, [group.size for group in self.groups])
        return {g.name: part.reshape(g.shape) for g, part in zip(self.groups, parts)}

    def rates(self) -> torch.Tensor | float:
        """Learning-rate factors, one a parameter; a single number where all groups agree."""
        if len({group.rate for group in self.groups}) == 1:
            return self.groups[0].rate
        return torch.cat([torch.full((group.size,), group.rate) for group in self.groups])


def adam(params, gradient, m, v, step_size, bias2, *, beta1, beta2, rates=1.0, epsilon=1e-8):
    """One Adam step on flat vectors `[F]`; returns the new parameters and both moments.

    `step_size [1]` is lr/(1 - beta1^t) and `bias2 [1]` is sqrt(1 - beta2^t): both schedules stay with the host, which
    computes them in float64.
    """
    m = m * beta1 + gradient * (1.0 - beta1)
    v = v * beta2 + gradient * gradient * (1.0 - beta2)
    return params - step_size * rates * (m / (v.sqrt() / bias2 + epsilon)), m, v


def make_step(loss, layout: Layout, *, beta1: float, beta2: float, epsilon: float = 1e-8, project=None):
    """A step function from a loss.

    `loss(params, tensors)` takes named parameters and the other named tensors and gives the total loss (a scalar) and
    further scalar losses by name. `project(params)`, if given, puts updated named parameters back into their bounds.
    The step maps named tensors to named tensors as the pack contract says.
    """
    def step(params, m, v, step_size, bias2, **tensors):
        gradient, (total, further) = torch.func.grad_and_value(
            lambda flat: loss(layout.unflatten(flat), tensors), has_aux=True)(params)
        params, m, v = adam(params, gradient, m, v, step_size, bias2, beta1=beta1, beta2=beta2, rates=layout.rates(), epsilon=epsilon)
        if project is not None:
            params = layout.flatten(project(layout.unflatten(params)))
        scalars = {name: value.reshape(1) for name, value in {"loss": total, **further}.items()}
        return {"params_out": params, "m_out": m, "v_out": v, **scalars}

    return step
