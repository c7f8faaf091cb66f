"""The tiny pack: every role with small random weights, for tests. `python -m tools.pack.tiny models/tiny [--setup FOLDER]`."""

import argparse
from pathlib import Path

import torch

from . import export, write
from . import generator as N
from . import networks as W


def generator():
    """The tiny generator with its fixed random weights; its planes are loud enough that pictures are not flat."""
    torch.manual_seed(20)
    model = N.Generator(N.TINY)
    with torch.no_grad():
        model.mean.mul_(8)
        model.to_rgb.weight.normal_(0, 0.1)
        model.basis.copy_(model.basis.half().float())
        for layer in (model.style_in, model.decode2):
            layer.weight.mul_(1.5)
    return model


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("folder", type=Path)
    a.add_argument("--setup", type=Path, help="folder of the set-up's networks")
    a = a.parse_args()
    torch.set_num_threads(1)
    a.folder.mkdir(parents=True, exist_ok=True)
    export.generator_roles(generator(), a.folder)
    torch.manual_seed(21)
    write.networks(a.folder, W.TINY)
    write.pack_yaml(a.folder, "tiny", 1, N.TINY.side, W.TINY.parse_side, a.setup)


if __name__ == "__main__":
    main()
