"""Draws every viseme on people who do not exist: python -m tools.speech.sheet OUT.png [--people 2] [--seed 1] [--mouths]"""

import argparse

import numpy as np
import torch
from PIL import Image, ImageDraw

from ..heads import params as P
from ..heads import people
from ..heads.picture import centred, picture
from ..heads.render import Renderer
from . import lips, visemes

_COLUMNS, _LABEL = 5, 14
_MOUTH = (0.28, 0.52, 0.72, 0.86)  # of the picture's side: left, top, right, bottom


def person(seed):
    """p [D] of a neutral person whose mouth nothing hides."""
    z = torch.randn(1, P.Z, generator=torch.Generator().manual_seed(seed))
    p = people.plausible(z, torch.tensor([0.7]))[0].numpy()
    for name in ("chin_beard", "cheek_beard", "moustache"):
        p[P.SLOT[name]] = 0
    return p


def tiles(renderer, p, names, expressions, side, mouths):
    """A labelled picture of a person for every expression `[n, 52]`."""
    pose = centred(renderer, p, np.zeros(6))
    for name, expression in zip(names, expressions, strict=True):
        p = p.copy()
        p[P.SLOT["expression"]] = expression
        image = Image.fromarray(picture(renderer, p, pose, side)["image"])
        if mouths:
            image = image.crop([int(share * side) for share in _MOUTH])
        tile = Image.new("RGB", (image.width, image.height + _LABEL), "white")
        tile.paste(image, (0, _LABEL))
        ImageDraw.Draw(tile).text((3, 1), name, fill="black")
        yield tile


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("out")
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--mouths", action="store_true", help="only the mouths")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    renderer = Renderer()
    expressions = lips.units(np.array([visemes.target(sound) for sound in visemes.SOUNDS]))
    lines = []
    for k in range(arguments.people):
        drawn = list(tiles(renderer, person(arguments.seed + k), visemes.SOUNDS, expressions, arguments.side, arguments.mouths))
        lines += [drawn[i : i + _COLUMNS] for i in range(0, len(drawn), _COLUMNS)]
    width, height = lines[0][0].size
    image = Image.new("RGB", (_COLUMNS * width, len(lines) * height), "white")
    for row, line in enumerate(lines):
        for column, tile in enumerate(line):
            image.paste(tile, (column * width, row * height))
    image.save(arguments.out)


if __name__ == "__main__":
    main()
