"""The tiny pack: every role with small random weights, for tests. `python -m tools.pack.tiny models/tiny [--setup FOLDER]`."""

import argparse
from pathlib import Path

import torch

from ..stepgraph.share import share
from . import digest, export, optimise, write
from . import generator as N
from . import networks as W


def generator():
    """The tiny generator with its fixed random weights; its planes are loud enough that pictures are not flat."""
    torch.manual_seed(20)
    model = N.Generator(N.TINY)
    with torch.no_grad():
        model.mean.mul_(8)
        model.to_rgb.weight.normal_(0, 0.1)
        for maps in (*model.maps, *model.windows):
            maps.normal_(0, 0.1)
        model.round_large()
        for layer in (model.style_in, model.decode2):
            layer.weight.mul_(1.5)
        model.decode2.weight[0].mul_(8)  # neither empty nor solid
        model.decode2.bias[0] = -2
    return model


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("folder", type=Path)
    a.add_argument("--setup", type=Path, help="folder of the set-up's networks")
    a = a.parse_args()
    torch.set_num_threads(1)
    a.folder.mkdir(parents=True, exist_ok=True)
    model = generator()
    export.generator_roles(model, a.folder)
    torch.manual_seed(21)
    write.networks(a.folder, W.TINY)
    write.pack_yaml(a.folder, "tiny", 1, N.TINY.side, W.TINY.parse_side, a.setup)
    optimise.put_block(a.folder / "pack.yaml", optimise.write(model, a.folder))
    share(a.folder)
    digest.update(a.folder / "pack.yaml", a.setup)


if __name__ == "__main__":
    main()
