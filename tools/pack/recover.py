"""Takes a trained generator's weights out of a pack again: `python -m tools.pack.recover models/studio WEIGHTS`.

WEIGHTS gets generator.pt, from which `tools.pack.studio --only inversion` (or `generator`) writes the pack's graphs anew, equal
byte for byte as long as nothing but the weights went into them. For work on graphs where the training's own files are not at hand.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from ..heads import params as P
from . import generator as N
from . import roles as R
from .export import session

# Models of a pack, and what they put before the generator's names. Those of later ones come first.
HOLDERS = (("prepare", "generator."), ("lipaint_state", "prepare.generator."), ("identity", ""))
CLOSE = 1e-4  # of a state tensor's largest number


def constants(path: Path) -> dict[str, np.ndarray]:
    """The initialisers of a model by name; those stored as float16 under the names that their Casts give."""
    model = onnx.load(path)
    found = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]].astype(np.float32)
    return found


def transposed(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The one constant that a MatMul of the model multiplies by and that is a weight of this shape: the exporter folds the transposing of a
    layer without a bias, and with it its name."""
    model, found = onnx.load(path), constants(path)
    factors = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"} & found.keys()
    fits = [found[name] for name in factors if found[name].shape == shape[::-1]]
    if len(fits) != 1:
        raise ValueError(f"{path}: {len(fits)} constant factors of shape {list(shape[::-1])}, expected one")
    return fits[0].T.copy()


def recover(folder: Path, config: N.Config = N.STUDIO) -> N.Generator:
    """The generator of the pack in `folder`; raises where a weight is missing or the pack's `prepare` computes something else with them."""
    generator, found = N.Generator(config), {}
    for name, prefix in HOLDERS:
        found |= {key[len(prefix) :]: value for key, value in constants(folder / f"{name}.onnx").items() if key.startswith(prefix)}
    wanted = {key: tuple(value.shape) for key, value in generator.state_dict().items()}
    found["palette_more.weight"] = transposed(folder / "prepare.onnx", wanted["palette_more.weight"])
    wrong = [key for key, shape in wanted.items() if key not in found or found[key].shape != shape]
    if wrong:
        raise ValueError(f"{folder}: lacks {', '.join(wrong)} in the shapes of this generator")
    generator.load_state_dict({key: torch.tensor(found[key]) for key in wanted})
    check(folder, generator)
    return generator.eval()


@torch.no_grad()
def check(folder: Path, generator: N.Generator):
    """Raises unless the pack's `prepare` and torch make the same state of a person."""
    torch.manual_seed(0)
    w = R.Mapping()(torch.randn(1, P.Z), torch.tensor([0.7]))
    inputs = {"w": w, **R.offsets(generator)}
    inputs["plane_offset"] = 0.01 * torch.randn_like(inputs["plane_offset"])
    state = R.Prepare(generator)(*inputs.values())
    model = onnx.load(folder / "prepare.onnx")
    given = session(model).run(list(R.STATE), {key: value.numpy() for key, value in inputs.items()})
    for name, ours, theirs in zip(R.STATE, state, given):
        if np.abs(ours.numpy() - theirs).max() > CLOSE * np.abs(theirs).max():
            raise ValueError(f"{folder}: `{name}` of the pack's prepare differs from torch with the weights found")


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("pack", type=Path)
    a.add_argument("weights", type=Path)
    a = a.parse_args()
    a.weights.mkdir(parents=True, exist_ok=True)
    torch.save(recover(a.pack).state_dict(), a.weights / "generator.pt")


if __name__ == "__main__":
    main()
