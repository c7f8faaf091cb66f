"""Contact sheets of the pictures: `python -m tools.heads.contact OUT.png [--rows 8] [--columns 8]`.

--labels puts each row's classes below it; --study makes every row one person: neutral, turned, and single expressions; --photographs adds made
backgrounds and cameras.
"""

import argparse
import time

import numpy as np
import torch
from PIL import Image

from . import backgrounds, camera
from . import params as P
from .crop import centred, framed
from .params import both
from .picture import picture, random_person
from .render import Renderer

PALETTE = np.random.default_rng(3).integers(40, 255, (16, 3)).astype(np.uint8)
STUDY = [
    {}, {"yaw": -0.52}, {"yaw": 0.52, "pitch": 0.2}, {"jawOpen": 0.9}, {"jawOpen": 0.25} | both("mouthSmile", 0.8) | both("mouthUpperUp", 0.4) | both("cheekSquint", 0.5),
    {"jawOpen": 0.4, "mouthFunnel": 0.8, "yaw": 0.4}, {"mouthPucker": 0.9} | both("browDown", 0.6), both("eyeBlink", 1), both("eyeBlink", 0.4) | {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8},
]  # fmt: skip


def random_rows(renderer, rng, rows, columns):
    """People with their poses, row by row."""
    for _ in range(rows):
        people = [random_person(rng) for _ in range(columns)]
        yield [(p, framed(renderer, p, rng)) for p in people]


def study_rows(renderer, rng, rows):
    for _ in range(rows):
        person, line = random_person(rng), []
        person[P.SLOT["expression"]] = 0
        for change in STUDY:
            p = person.copy()
            for name, value in change.items():
                if name in P.UNIT:
                    p[P.IDENTITY + P.UNIT[name]] = value
            pose = np.array([change.get("pitch", 0), change.get("yaw", 0), 0, 0, 0, 0], float)
            line.append((p, centred(renderer, person, pose)))
        yield line


def photograph(drawn, p, rng):
    """The picture as a camera would have taken it somewhere."""
    image, side = drawn["image"].astype(np.float32) / 255, len(drawn["image"])
    old = backgrounds.of_colours(np.asarray(p[P.SLOT["background"]], np.float32), side)
    return camera.photograph(backgrounds.swap(image, drawn["alpha"] / np.float32(255), old, backgrounds.draw(rng, side)), rng)


def sheet(lines, renderer, side, labels, photographs, rng):
    """Pictures of rows of (p, pose) and the CPU seconds a picture took."""
    out, count, seconds = [], 0, 0.0
    for line in lines:
        start = time.process_time()
        drawn = [picture(renderer, p, pose, side) for p, pose in line]
        seconds, count = seconds + time.process_time() - start, count + len(drawn)
        out.append(np.concatenate([photograph(d, p, rng) if photographs else d["image"] for d, (p, _) in zip(drawn, line)], 1))
        if labels:
            out.append(np.concatenate([PALETTE[d["labels"]] for d in drawn], 1))
    return np.concatenate(out, 0), seconds / count


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out")
    a.add_argument("--rows", type=int, default=8)
    a.add_argument("--columns", type=int, default=8)
    a.add_argument("--side", type=int, default=256)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--labels", action="store_true")
    a.add_argument("--study", action="store_true")
    a.add_argument("--photographs", action="store_true")
    a = a.parse_args()
    torch.set_num_threads(1)
    renderer, rng = Renderer(), np.random.default_rng(a.seed)
    lines = study_rows(renderer, rng, a.rows) if a.study else random_rows(renderer, rng, a.rows, a.columns)
    image, seconds = sheet(lines, renderer, a.side, a.labels, a.photographs, rng)
    Image.fromarray(image).save(a.out)
    print(f"{a.out}: {seconds * 1e3:.0f} ms CPU a picture")
