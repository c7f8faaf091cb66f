"""Writes the bundled pack from trained weights: `python -m tools.pack.studio WEIGHTS models/studio [--setup FOLDER]`.

WEIGHTS holds generator.pt, deep3d.pt and parse.pt. Roles that others train (audio2exp) are taken as they lie in the folder.
"""

import argparse
from pathlib import Path

import torch

from ..stepgraph.share import share
from . import digest, export, optimise, write
from . import generator as N
from . import networks as W

VERSION = 3
DEFAULTS = {"lipaint": {"mask": "contour"}}  # exact here: the contour of the morphable model that drew the training pictures


def generator(path):
    """The trained generator, its large constants rounded to what float16 stores."""
    model = N.Generator(N.STUDIO)
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.round_large().eval()


def optimisations(model, folder, setup):
    """Writes the graphs of inversion and fit and brings pack.yaml up to date."""
    optimise.put_block(folder / "pack.yaml", optimise.write(model, folder))
    share(folder)
    digest.update(folder / "pack.yaml", setup)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("weights", type=Path)
    a.add_argument("folder", type=Path)
    a.add_argument("--setup", type=Path, help="folder of the set-up's networks")
    a.add_argument("--no-optimisations", action="store_true", help="leave out the graphs of inversion and fit")
    a.add_argument("--optimisations-only", action="store_true", help="only the graphs of inversion and fit, in a pack that is there")
    a.add_argument("--networks-only", action="store_true", help="only deep3d and parse, in a pack that is there")
    a = a.parse_args()
    torch.set_num_threads(1)
    a.folder.mkdir(parents=True, exist_ok=True)
    if a.optimisations_only:
        optimisations(generator(a.weights / "generator.pt"), a.folder, a.setup)
        return
    write.networks(a.folder, W.STUDIO, {k: a.weights / f"{k}.pt" for k in ("deep3d", "parse")})
    if a.networks_only:
        digest.update(a.folder / "pack.yaml", a.setup)
        return
    model = generator(a.weights / "generator.pt")
    export.generator_roles(model, a.folder)
    write.pack_yaml(a.folder, "studio", VERSION, model.config.side, W.STUDIO.parse_side, a.setup, DEFAULTS)
    if not a.no_optimisations:
        optimisations(model, a.folder, a.setup)


if __name__ == "__main__":
    main()
