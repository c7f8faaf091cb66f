"""Contact sheets of the data: `python -m tools.pack.contact OUT.png [--rows 4] [--columns 8]`.

With --study every row is one person: neutral, turned by ±30°, and single expressions.
"""

import argparse
import time

import numpy as np
import torch
from PIL import Image

from . import data
from . import params as P
from .shade import Renderer

PALETTE = np.random.default_rng(3).integers(40, 255, (16, 3)).astype(np.uint8)
STUDY = [
    {}, {"yaw": -0.52}, {"yaw": 0.52}, {"jaw": 1}, {"jaw": 0.4, "smile": 0.8, "wide": 0.6}, {"upper_raise": 0.9, "lower_drop": 0.9, "wide": 0.5},
    {"jaw": 0.7, "pucker": 0.8, "yaw": 0.5}, {"blink_left": 1, "blink_right": 1}, {"blink_left": 0.5, "blink_right": 0.5, "gaze_x": 0.8},
]  # fmt: skip


def random_rows(renderer, rng, rows, columns):
    """People with their poses, row by row."""
    for _ in range(rows):
        line = []
        for _ in range(columns):
            p = data.random_person(rng)
            line.append((p, data.framed(renderer, p, rng)))
        yield line


def study_rows(renderer, rng, rows):
    for _ in range(rows):
        person, line = data.random_person(rng), []
        person[P.SLOT["expression"]] = 0
        for change in STUDY:
            p = person.copy()
            for name, value in change.items():
                if name != "yaw":
                    p[P.IDENTITY + P.EXPRESSION.index(name)] = value
            pose = np.array([0, change.get("yaw", 0), 0, 0, 0, 0], float)
            line.append((p, data.centred(renderer, person, pose)))
        yield line


def sheet(lines, renderer, side, labels):
    """Pictures of rows of (p, pose), each row above its classes, and the CPU seconds a picture took."""
    out, count, start = [], 0, time.process_time()
    for line in lines:
        drawn = [data.picture(renderer, p, pose, side) for p, pose in line]
        count += len(drawn)
        out.append(np.concatenate([d["image"] for d in drawn], 1))
        if labels:
            out.append(np.concatenate([PALETTE[d["labels"]] for d in drawn], 1))
    return np.concatenate(out, 0), (time.process_time() - start) / count


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out")
    a.add_argument("--rows", type=int, default=4)
    a.add_argument("--columns", type=int, default=6)
    a.add_argument("--side", type=int, default=256)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--no-labels", action="store_true")
    a.add_argument("--study", action="store_true")
    a = a.parse_args()
    torch.set_num_threads(1)
    renderer, rng = Renderer(), np.random.default_rng(a.seed)
    lines = study_rows(renderer, rng, a.rows) if a.study else random_rows(renderer, rng, a.rows, a.columns)
    image, seconds = sheet(lines, renderer, a.side, not a.no_labels)
    Image.fromarray(image).save(a.out)
    print(f"{a.out}: {seconds * 1e3:.0f} ms CPU a picture")
