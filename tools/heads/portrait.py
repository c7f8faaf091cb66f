"""The demo portrait: `python -m tools.heads.portrait graphs/media/portrait.png [--seed N]`."""

import argparse

import numpy as np
import torch
from PIL import Image

from . import params as P
from .crop import centred
from .params import both
from .people import plausible
from .picture import picture
from .render import Renderer

POSE = np.array([0.02, -0.16, 0.0, 0.0, 0.0, 0.0])
SEED, PSI = 36, 0.8
EXPRESSION = both("mouthSmile", 0.2) | both("cheekSquint", 0.1)
CHANGES = {}  # of the texture's parameters, by name


def person(seed, psi=PSI, changes=CHANGES):
    """The parameters [D] of a plausible person, some of them set, with `EXPRESSION`."""
    p = plausible(torch.tensor(np.random.default_rng(seed).normal(size=(1, P.Z)), dtype=torch.float32), torch.tensor([psi]))[0].numpy().copy()
    for name, value in EXPRESSION.items():
        p[P.IDENTITY + P.UNIT[name]] = value
    for name, value in changes.items():
        p[P.SLOT[name]] = value
    return p


def draw(p, side, renderer=None):
    """A person's picture uint8 [side,side,3], framed as FFHQ frames faces."""
    renderer = renderer or Renderer()
    return picture(renderer, p, centred(renderer, p, POSE), side)["image"]


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out")
    a.add_argument("--side", type=int, default=512)
    a.add_argument("--seed", type=int, default=SEED)
    a = a.parse_args()
    torch.set_num_threads(1)
    Image.fromarray(draw(person(a.seed), a.side)).save(a.out)


if __name__ == "__main__":
    main()
