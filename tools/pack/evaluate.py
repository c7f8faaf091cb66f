"""Figures of trained weights on the 100 held-out people: `python -m tools.pack.evaluate DATA WEIGHTS`."""

import argparse
from pathlib import Path

import numpy as np
import torch

from ..heads import geometry as G
from . import train_generator as T
from . import train_networks as R
from .studio import generator


def volume(model, rows, count):
    """PSNR of whole and face, median face depth error in millimetres and silhouette IoU, per person; and |yaw| in degrees."""
    out = []
    for i in range(count):
        with torch.no_grad():
            o = model(torch.tensor(rows["p"][i : i + 1]), torch.tensor(rows["pose"][i : i + 1]))
        truth, label = T.picture(rows["image"][i : i + 1]), rows["labels"][i]
        error = (((o["image"].clamp(-1, 1) - truth) / 2) ** 2)[0].mean(0).numpy()
        face = (label > 0) & (label < 10)
        psnr = lambda e: -10 * np.log10(e.mean())
        depth, small = rows["depth"][i].astype(np.float32), face[::2, ::2]
        off = np.abs(o["depth"][0, 0].numpy() - G.DISTANCE - depth)[small & (depth < 5)]
        mask, solid = rows["mask"][i] > 127, o["alpha"][0, 0].numpy() > 0.5
        iou = (mask & solid).sum() / (mask | solid).sum()
        out.append((psnr(error), psnr(error[face]), np.median(off) * G.SCALE * 10, iou, abs(np.rad2deg(rows["pose"][i][1]))))
    return np.array(out)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("data", type=Path)
    a.add_argument("weights", type=Path)
    a = a.parse_args()
    torch.set_num_threads(1)
    keys = T.KEYS
    with np.load(a.data / "shard_0_000.npz") as f:
        rows = {k: f[k] for k in keys}
    v = volume(generator(a.weights / "generator.pt"), rows, len(rows["p"]))
    print("generator: whole {:.2f} dB, face {:.2f} dB, face depth {:.2f} mm, silhouette IoU {:.3f}".format(*v[:, :4].mean(0)))
    for low, high in ((0, 15), (15, 30), (30, 90)):
        band = v[(v[:, 4] >= low) & (v[:, 4] < high)]
        print(f"  |yaw| {low}..{high}: {len(band)} people, whole {band[:, 0].mean():.2f} dB, face {band[:, 1].mean():.2f} dB")
    people = type("Parts", (), {"parts": {"p": [rows["p"]], "pose": [rows["pose"]]}})
    listed = [{k: rows[k][i] for k in keys} for i in range(len(rows["p"]))]
    for name, make in R.TASKS.items():
        task = make(people)
        task.model.load_state_dict(torch.load(a.weights / f"{name}.pt", weights_only=True))
        task.model.eval()
        with torch.no_grad():
            print(f"{name}: {task.validate(listed)}")


if __name__ == "__main__":
    main()
