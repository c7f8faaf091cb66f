"""Draws training pictures: `python -m tools.pack.data OUT --pictures 10000 --workers 2`.

Each shard (`shard_W_I.npz`, 100 pictures): p float32 [n,D], pose float32 [n,6], image uint8 [n,256,256,3] (drawn at 512, box
filtered), labels uint8 [n,256,256], depth float16 [n,128,128] (camera depth minus DISTANCE at the samples' centres, 9: background),
mask uint8 [n,128,128] (coverage, 255: all of it).
"""

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import torch

from . import geometry as G
from . import params as P
from .shade import Renderer

SHARD = 100


def centred(renderer, p, pose):
    """`pose` moved so that the picture is the FFHQ crop of the face."""
    pose = pose.copy()
    for _ in range(2):
        eyes, mouth, size = crop(renderer.landmarks(p, pose))
        centre = eyes + 0.1 * (mouth - eyes)
        pose[5] += (1 - 2 * size) * (G.DISTANCE - pose[5])
        pose[3] -= (centre[0] - 0.5) * 2
        pose[4] += (centre[1] - 0.5) * 2
    return pose


def framed(renderer, p, rng):
    """A random pose whose crop is the FFHQ crop of the face, up to a small jitter."""
    pitch, yaw, roll = (rng.normal(size=3) * [0.13, 0.30, 0.06]).tolist()
    pose = np.array([np.clip(pitch, -0.35, 0.35), np.clip(yaw, -0.65, 0.65), np.clip(roll, -0.15, 0.15), 0, 0, 0])
    pose = centred(renderer, p, pose)
    pose[3:5] += rng.normal(size=2) * 0.03
    pose[5] += rng.normal() * 0.35
    return pose


def crop(landmarks):
    """Eyes' middle, mouth's middle and half side of the FFHQ crop from 468 landmarks."""
    left, right = landmarks[[33, 133]].mean(0), landmarks[[263, 362]].mean(0)
    eyes, mouth = (left + right) / 2, landmarks[[61, 291]].mean(0)
    return eyes, mouth, max(2.0 * np.linalg.norm(right - left), 1.8 * np.linalg.norm(mouth - eyes))


def reduce(a, k):
    """Box filter by k over the first two axes."""
    return a.reshape(a.shape[0] // k, k, a.shape[1] // k, k, *a.shape[2:]).mean((1, 3))


def picture(renderer, p, pose, side=256):
    """One row of a shard, without p and pose; depth and mask have half the picture's side."""
    d = renderer.draw(p, pose, side)
    depth = d["depth"][2::4, 2::4] - G.DISTANCE
    hit = (d["labels"] > 0).astype(np.float32)
    return {
        "image": (reduce(d["big"].astype(np.float32), 2) + 0.5).astype(np.uint8),
        "labels": d["labels"][1::2, 1::2],
        "depth": np.where(np.isfinite(depth), depth, 9).astype(np.float16),
        "mask": (reduce(hit, 4) * 255 + 0.5).astype(np.uint8),
    }


def random_person(rng):
    z = torch.tensor(rng.normal(size=(1, P.Z)), dtype=torch.float32)
    p = P.plausible(z, torch.ones(1))[0].numpy()
    p[P.SLOT["expression"]] = P.draw_expression(rng)
    return p


def work(out, worker, shards, seed):
    torch.set_num_threads(1)
    renderer = Renderer()
    for s in range(shards):
        rng = np.random.default_rng([seed, worker, s])
        rows = {}
        for _ in range(SHARD):
            p = random_person(rng)
            pose = framed(renderer, p, rng)
            for k, v in {"p": p, "pose": pose.astype(np.float32), **picture(renderer, p, pose)}.items():
                rows.setdefault(k, []).append(v)
        part = out / f"part_{worker}.npz"
        np.savez(part, **{k: np.array(v) for k, v in rows.items()})
        os.rename(part, out / f"shard_{worker}_{s:03d}.npz")


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out", type=Path)
    a.add_argument("--pictures", type=int, default=10000)
    a.add_argument("--workers", type=int, default=2)
    a.add_argument("--seed", type=int, default=7)
    a = a.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    start = time.time()
    jobs = [
        multiprocessing.Process(target=work, args=(a.out, w, a.pictures // SHARD // a.workers, a.seed)) for w in range(a.workers)
    ]
    [j.start() for j in jobs]
    [j.join() for j in jobs]
    if any(j.exitcode for j in jobs):
        raise SystemExit("a worker failed")
    print(f"{a.pictures} pictures in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
