"""Draws training pictures: `python -m tools.heads.data OUT --pictures 10000 --workers 2`.

Each shard (`shard_W_I.npz`, 100 pictures): p float32 [n,D], pose float32 [n,6] and what `picture.picture` gives, stacked: image (over the
background of p, clean), alpha, labels, depth, mask. Noise, rich backgrounds and JPEG come later, from `camera.py` and `backgrounds.py`.
A worker takes up where it was stopped: shards that are there stay.
"""

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import torch

from .crop import framed
from .picture import picture, random_person
from .render import Renderer

SHARD = 100


def shard(renderer, rng, count):
    """Arrays of `count` random pictures."""
    rows = {}
    for _ in range(count):
        p = random_person(rng)
        pose = framed(renderer, p, rng)
        for k, v in {"p": p.astype(np.float32), "pose": pose.astype(np.float32), **picture(renderer, p, pose)}.items():
            rows.setdefault(k, []).append(v)
    return {k: np.array(v) for k, v in rows.items()}


def work(out, worker, shards, seed):
    torch.set_num_threads(1)
    renderer = Renderer()
    for s in range(shards):
        path = out / f"shard_{worker}_{s:03d}.npz"
        if path.exists():
            continue
        part = out / f"part_{worker}.npz"
        np.savez(part, **shard(renderer, np.random.default_rng([seed, worker, s]), SHARD))
        os.rename(part, path)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("out", type=Path)
    a.add_argument("--pictures", type=int, default=10000)
    a.add_argument("--workers", type=int, default=2)
    a.add_argument("--seed", type=int, default=7)
    a = a.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    start, each = time.time(), -(-a.pictures // (SHARD * a.workers))
    jobs = [multiprocessing.Process(target=work, args=(a.out, w, each, a.seed)) for w in range(a.workers)]
    [j.start() for j in jobs]
    [j.join() for j in jobs]
    if any(j.exitcode for j in jobs):
        raise SystemExit("a worker failed")
    print(f"{each * SHARD * a.workers} pictures in {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
