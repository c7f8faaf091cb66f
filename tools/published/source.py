"""A network takes its tensors by their published names, and every shape is checked on the way.

The same code that builds a network so says which tensors it needs: built from a `Census`, it leaves names and shapes behind.
"""

import torch

from .errors import AGAIN, Unfit


class Source:
    """The tensors of a published state dict below a prefix. `place` names the file in errors, `hint` what to do when one does not fit."""

    def __init__(self, tensors: dict[str, torch.Tensor], place: str = "state", hint: str | None = None, prefix: str = ""):
        self.tensors, self.place, self.hint, self.prefix = tensors, place, hint, prefix

    def under(self, name: str) -> "Source":
        """The tensors whose names begin with `name.`"""
        return type(self)(self.tensors, self.place, self.hint, f"{self.prefix}{name}.")

    def take(self, name: str, *shape: int) -> torch.Tensor:
        """The tensor called `name`, float32, of this shape."""
        full = self.prefix + name
        found = self.tensors.get(full)
        if found is None:
            raise Unfit(f"{self.place}, {full}", f"missing: expected a tensor of {list(shape)}", self.hint)
        if tuple(found.shape) != shape:
            raise Unfit(f"{self.place}, {full}", f"expected {list(shape)}, found {list(found.shape)}", self.hint)
        found = found.detach().to(torch.float32)
        if not found.isfinite().all():
            raise Unfit(f"{self.place}, {full}", "expected finite numbers, found others", AGAIN)
        return found


class Census(Source):
    """Notes what is taken, {name: shape}, and gives zeros."""

    def take(self, name, *shape):
        self.tensors[self.prefix + name] = shape
        return torch.zeros(shape)


def wanted(build) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the tensors that `build(source)` takes."""
    names = {}
    build(Census(names))
    return names
