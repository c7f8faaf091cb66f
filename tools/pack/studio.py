"""Writes the bundled pack from trained weights: `python -m tools.pack.studio WEIGHTS models/studio [--setup FOLDER]`.

WEIGHTS holds generator.pt, deep3d.pt and parse.pt, or what the parts named by --only need. Roles that others train (audio2exp) are taken
as they lie in the folder.
"""

import argparse
from pathlib import Path

import torch

from ..stepgraph.share import share
from . import digest, export, optimise, write
from . import generator as N
from . import networks as W

VERSION = 10
PARTS = ("networks", "generator", "inversion", "face")  # generator: and inversion, which holds its weights, and face; inversion: and the fit of the 3DMM
DEFAULTS = {"lipaint": {"mask": "contour"}}  # exact here: the contour of the morphable model that drew the training pictures


def generator(path):
    """The trained generator, its large constants rounded to what float16 stores."""
    model = N.Generator(N.STUDIO)
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.round_large().eval()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("weights", type=Path)
    a.add_argument("folder", type=Path)
    a.add_argument("--setup", type=Path, help="folder of the set-up's networks")
    a.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to write into a pack that is there")
    a = a.parse_args()
    torch.set_num_threads(1)
    a.folder.mkdir(parents=True, exist_ok=True)
    if "networks" in a.only:
        write.networks(a.folder, W.STUDIO, {k: a.weights / f"{k}.pt" for k in ("deep3d", "parse")})
    if "face" in a.only and "generator" not in a.only:
        export.face_roles(a.folder)  # small: what it could share stays in it, and the other files as they are
    if {"generator", "inversion"} & set(a.only):
        model = generator(a.weights / "generator.pt")
        if "generator" in a.only:  # writes pack.yaml anew, without what stands there of inversion
            export.generator_roles(model, a.folder)
            write.pack_yaml(a.folder, "studio", VERSION, model.config.side, W.STUDIO.parse_side, a.setup, DEFAULTS)
        optimise.put_block(a.folder / "pack.yaml", optimise.write(model, a.folder))
        share(a.folder)
    digest.update(a.folder / "pack.yaml", a.setup)


if __name__ == "__main__":
    main()
