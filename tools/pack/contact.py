"""Contact sheets of the data: `python -m tools.pack.contact OUT.png [--rows 4] [--columns 8]`."""

import argparse
import time

import numpy as np
import torch
from PIL import Image

from . import data
from .shade import Renderer

PALETTE = np.random.default_rng(3).integers(40, 255, (16, 3)).astype(np.uint8)


def sheet(rows, columns, side=256, seed=1, labels=True):
    torch.set_num_threads(1)
    renderer, rng, out = Renderer(), np.random.default_rng(seed), []
    start = time.time()
    for _ in range(rows):
        line = []
        for _ in range(columns):
            p = data.random_person(rng)
            d = data.picture(renderer, p, data.framed(renderer, p, rng), side)
            line.append((d["image"], PALETTE[d["labels"]]))
        out.append(np.concatenate([a for a, _ in line], 1))
        if labels:
            out.append(np.concatenate([b for _, b in line], 1))
    return np.concatenate(out, 0), (time.time() - start) / rows / columns


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out")
    a.add_argument("--rows", type=int, default=4)
    a.add_argument("--columns", type=int, default=6)
    a.add_argument("--side", type=int, default=256)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--no-labels", action="store_true")
    a = a.parse_args()
    image, seconds = sheet(a.rows, a.columns, a.side, a.seed, not a.no_labels)
    Image.fromarray(image).save(a.out)
    print(f"{a.out}: {seconds * 1e3:.0f} ms a picture")
