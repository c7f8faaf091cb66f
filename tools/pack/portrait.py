"""The demo portrait, drawn by the parametric head: `python -m tools.pack.portrait graphs/media/portrait.png`."""

import argparse

import numpy as np
import torch
from PIL import Image

from . import data
from . import params as P
from .shade import Renderer

POSE = np.array([0.02, -0.16, 0.0, 0.0, 0.0, 0.0])


# A slim face with open eyes and long red hair; numbers index the identity's directions (see geometry.py).
SUBJECT = {
    "seed": 36,
    "identity": {0: -0.9, 1: 0.3, 3: -0.9, 4: -0.4, 5: 0.2, 6: 0.8, 7: -0.2, 9: -1.0, 13: 1.4, 14: 0.7, 15: 0.5, 17: -0.2, 20: 0.8, 21: 0.9, 22: 0.5},
    "changes": {
        "expression": [0, 0, 0, 0.1, 0.12, 0, 0, 0, 0, 0.15, 0.1, 0], "iris": [0.24, 0.42, 0.36], "skin": [0.90, 0.70, 0.60], "flush": 0.55,
        "lips": [0.80, 0.40, 0.38], "brow": [0.30, 0.15, 0.08], "brow_strength": 0.35, "brow_width": 0.2, "hair": [0.47, 0.20, 0.09],
        "hairline": 0.2, "part": 1.6, "top": 0.55, "sides": 0.9, "wave": 1.2, "length": 0.75, "frame": 0.2, "strands": 0.7,
        "cloth": [0.13, 0.32, 0.35], "neckline": 0.8, "neck": -1.6, "shoulders": -1.2, "key_x": 0.55, "key_y": 0.45, "key": 0.62, "ambient": 0.58, "tint": 0.6,
    },
}  # fmt: skip


def person(seed, psi=0.7, identity=None, changes=None):
    """A plausible person [D] with some identity directions and parameters set."""
    z = torch.tensor(np.random.default_rng(seed).normal(size=(1, P.Z)), dtype=torch.float32)
    p = P.plausible(z, torch.tensor([psi]))[0].numpy().copy()
    for i, value in (identity or {}).items():
        p[i] = value
    for name, value in (changes or {}).items():
        p[P.SLOT[name]] = value
    return p


def draw(p, side, renderer=None):
    renderer = renderer or Renderer()
    picture = renderer.draw(p, data.centred(renderer, p, POSE), side, ss=3)["big"]
    return (data.reduce(picture.astype(np.float32), 3) + 0.5).astype(np.uint8)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out")
    a.add_argument("--side", type=int, default=512)
    a = a.parse_args()
    torch.set_num_threads(1)
    Image.fromarray(draw(person(**SUBJECT), a.side)).save(a.out)


if __name__ == "__main__":
    main()
