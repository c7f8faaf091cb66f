"""The demo portrait, drawn by the parametric head: `python -m tools.pack.portrait graphs/media/portrait.png`."""

import argparse

import numpy as np
import torch
from PIL import Image

from . import data
from . import params as P
from .shade import Renderer

POSE = np.array([0.02, -0.16, 0.0, 0.0, 0.0, 0.0])


# A slim face with open eyes and dark curls; numbers index the identity's directions (see geometry.py).
SUBJECT = {
    "seed": 36,
    "identity": {0: -1.1, 1: 0.3, 3: -2.3, 4: -0.5, 5: 0.3, 6: 0.5, 7: -0.8, 8: 0.5, 9: -0.8, 13: 1.6, 14: 0.9, 15: 0.6, 17: 0.3, 18: 0.3, 20: 0.5, 21: 0.6},
    "changes": {
        "expression": [0, 0, 0, 0.1, 0.15, 0, 0, 0, 0, 0.15, 0.1, 0], "iris": [0.26, 0.15, 0.08], "skin": [0.66, 0.46, 0.34], "flush": 0.5,
        "lips": [0.60, 0.32, 0.30], "brow": [0.09, 0.06, 0.05], "brow_strength": 0.4, "brow_width": 0.25, "brow_tilt": 0.3, "brow_arch": 0.5,
        "hair": [0.12, 0.08, 0.055], "hairline": 0.5, "part": 1.0, "top": 0.55, "sides": 0.7, "wave": 1.2, "strands": 0.5, "curl": 0.85, "volume": 0.45,
        "long": 0.8, "length": 0.45, "frame": 0.2, "fringe": 0.0, "bun": 0.0, "bald": 0.0, "asym": 0.3, "age": 0.0, "freckles": 0.0, "stubble": 0.0,
        "beard_amount": 0.0, "moustache": 0.0, "glasses": 0.0, "teeth": 0.7, "collar": 0.0, "cloth": [0.55, 0.25, 0.20], "neckline": 0.8, "neck": -1.6,
        "shoulders": -1.0, "key_x": 0.55, "key_y": 0.45, "key": 0.60, "ambient": 0.58, "tint": 0.6,
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
