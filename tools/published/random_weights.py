"""A folder of files with the published names, formats, places and shapes, and weights that follow from tensors' names.

    python -m tools.published.random_weights DIR [--config ffhq_1024] [--only deep3d,parse]

The exporter runs on it as on the real files, so that shapes, sizes and time are known before anyone has a checkpoint. What such a pack draws is noise.
"""

import argparse
import pickle
import sys
import types
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path

import scipy.io
import torch
from safetensors.torch import save_file

from . import bfm, numbers, weights

GENERATOR = "generator"


def network(name: str) -> dict[str, torch.Tensor]:
    """The tensors of one of `weights.FILES`."""
    found = numbers.weights(weights.shapes(weights.FILES[name]))
    if name.endswith("_heads"):
        return {key: tensor.abs() for key, tensor in found.items()}  # weights of a distance
    return found


def morphable() -> dict[str, torch.Tensor]:
    """Arrays of a morphable model: a shallow bowl of vertices before the camera, and what bends it."""
    shapes = weights.shapes(weights.FILES["morphable_model"])
    n = bfm.VERTICES
    angle, radius = 2.399963 * torch.arange(n), torch.linspace(0, 1, n).sqrt()  # a sunflower
    mean = torch.stack([radius * angle.cos(), radius * angle.sin(), 0.6 * (1 - radius.square())], 1)
    triangles = (torch.arange(bfm.TRIANGLES)[:, None] + torch.tensor([0, 1, 2])) % n + 1
    around = (torch.arange(n)[:, None] + torch.arange(bfm.AROUND)) % bfm.TRIANGLES + 1
    bases = {name: 0.01 * numbers.normal(name, shapes[name]) for name in ("idBase", "exBase")}
    return bases | {
        "meanshape": mean.reshape(1, -1), "meantex": 128 + 20 * numbers.normal("meantex", shapes["meantex"]),
        "texBase": numbers.normal("texBase", shapes["texBase"]), "tri": triangles.int(), "point_buf": around.int(),
        "keypoints": (torch.arange(bfm.LANDMARKS)[None] * 500 + 1).int(),
    }  # fmt: skip


def stylenerf(config: str) -> tuple[dict, dict[str, torch.Tensor]]:
    """The arguments and tensors of a generator. Deviations are those of StyleNeRF before training."""
    from .stylenerf import Configuration, Generator

    configuration = Configuration(resolution=int(config.rpartition("_")[2]))
    return configuration.arguments(), {name: _drawn(name, tensor) for name, tensor in Generator(configuration).state_dict().items()}


def _drawn(name, tensor):
    x = numbers.normal(name, tensor.shape)
    if name.endswith("w_avg"):
        return tensor  # averages that training would have kept
    if name == "synthesis.fg_nerf.sigma_out.bias":
        return torch.full_like(tensor, 12.0)  # so that both fields are seen
    if name.startswith("mapping."):
        return 100 * x if name.endswith(".weight") else 0.05 * x
    if name.endswith(".bias"):
        return (1 if name.endswith("affine.bias") else 0) + 0.05 * x
    if name.startswith("synthesis.bg_nerf.") and x.dim() == 2:
        return 0.07 * x
    return 0.3 * x if "torgb.weight" in name or "fg_nerf.to_rgb.weight" in name else x


def _nest(tensors):
    """Tensors by dotted names -> objects as modules of `torch_utils.persistence` are pickled."""
    parts = {}
    for name, tensor in tensors.items():
        first, _, rest = name.partition(".")
        parts.setdefault(first, {})[rest] = tensor
    state = {"training": False, "_parameters": OrderedDict(), "_buffers": OrderedDict(), "_modules": OrderedDict()}
    for name, inside in parts.items():
        if set(inside) == {""}:
            average = name.endswith("w_avg")
            state["_buffers" if average else "_parameters"][name] = inside[""] if average else torch.nn.Parameter(inside[""], requires_grad=False)
        else:
            state["_modules"][name] = _Persistent(_nest(inside))
    return state


class _Persistent:
    """Pickled as `torch_utils.persistence` pickles a module, with a source that must never run."""

    def __init__(self, state, name="Module"):
        self.meta = {"type": "class", "version": 6, "module_src": "raise SystemExit('source in a pickle was run')\n", "class_name": name, "state": state}

    def __reduce__(self):
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


@contextmanager
def _persistence():
    """`torch_utils.persistence` as a name to pickle by, for as long as it is needed."""

    def _reconstruct_persistent_obj(meta):
        raise NotImplementedError

    names = {"torch_utils": types.ModuleType("torch_utils"), "torch_utils.persistence": types.ModuleType("torch_utils.persistence")}
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    names["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
    before = {name: sys.modules.get(name) for name in names}
    sys.modules |= names
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def write_pickle(path: Path, arguments: dict, tensors: dict[str, torch.Tensor]):
    """A pickle of StyleNeRF's kind, with the generator under `G_ema`."""
    with _persistence(), open(path, "wb") as file:
        state = _nest(tensors) | {"_init_args": (), "_init_kwargs": arguments}
        pickle.dump({"G_ema": _Persistent(state, "Generator"), "training_set_kwargs": None}, file)


def write(folder: Path, name: str, config: str = "ffhq_1024") -> Path:
    """Writes the file of one network; gives its path."""
    published = weights.generator(config) if name == GENERATOR else weights.FILES[name]
    path = folder / published.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == GENERATOR:
        write_pickle(path, *stylenerf(config))
    elif name == "morphable_model":
        scipy.io.savemat(path, {key: tensor.numpy() for key, tensor in morphable().items()})
    elif path.suffix == ".safetensors":
        save_file({f"{published.key}.{key}": tensor for key, tensor in network(name).items()}, path)
    else:
        tensors = OrderedDict(network(name))
        # both of PyTorch's formats are among the published files
        torch.save({published.key: tensors} if published.key else tensors, path, _use_new_zipfile_serialization=name != "parse")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", default="ffhq_1024")
    parser.add_argument("--only", type=lambda text: text.split(","), help="networks, joined by commas; all of them if absent")
    options = parser.parse_args()
    for name in options.only or (GENERATOR, *weights.FILES):
        path = write(options.folder, name, options.config)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
