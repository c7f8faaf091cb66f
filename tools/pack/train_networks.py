"""Trains `deep3d` or `parse` on the renders: `python -m tools.pack.train_networks deep3d DATA OUT --minutes 12`.

Keeps OUT/TASK.pt and OUT/TASK.state, from which it goes on where it was stopped.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..heads import geometry as G
from ..heads import params as P
from . import networks as W
from .augment import elsewhere, photographed, photometric
from .train_generator import Pictures


def coefficients(rows):
    """Targets [n,K] of rows of data."""
    return torch.tensor(np.concatenate([np.stack([r["p"][: P.STYLE] for r in rows]), np.stack([r["pose"] for r in rows])], 1))


def load(rows, side):
    """Pictures [n,3,side,side] in [0,1] and labels [n,side,side] of rows of data."""
    image = torch.from_numpy(np.stack([r["image"] for r in rows])).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(np.stack([r["labels"] for r in rows]))[:, None].float()
    return F.interpolate(image, size=side, mode="area"), F.interpolate(labels, size=side, mode="nearest")[:, 0].long()


def seen(rows, side, rng):
    """Pictures of rows as they may come, labels, and where something covers them [n,side,side]: half of the batches by cameras, half changed harder."""
    image, labels = load(rows, side)
    alpha = torch.from_numpy(np.stack([r["alpha"] for r in rows]))[:, None].float() / 255
    p = torch.tensor(np.stack([r["p"] for r in rows]))
    image = elsewhere(image, F.interpolate(alpha, size=side, mode="area"), p, rng)
    if rng.random() < 0.5:
        return photographed(image, rng), labels, torch.zeros_like(labels, dtype=torch.bool)
    image, cover = photometric(image)
    return image, labels, cover


class Deep3DTask:
    batch, rate = 16, 2e-3

    def __init__(self, pictures):
        self.model, self.shape = W.Deep3D(), G.Morphable()
        p = np.concatenate([np.concatenate(pictures.parts["p"])[:, : P.STYLE], np.concatenate(pictures.parts["pose"])], 1)
        self.model.mean.copy_(torch.tensor(p.mean(0)))
        self.model.std.copy_(torch.tensor(p.std(0)) + 0.01)
        weight = torch.full((P.K,), 0.1)
        weight[P.SLOT["identity"]], weight[P.SLOT["expression"]], weight[P.STYLE :] = 0.15, 1.5, 2.0
        self.weight = weight / weight.mean()

    def loss(self, rows, rng):
        target = coefficients(rows)
        out = self.model.half(seen(rows, 112, rng)[0])
        off = (out - target) / self.model.std * self.weight
        scaled = F.smooth_l1_loss(off, target * 0, beta=0.5)
        # most expressions are at rest, which is what their median says; asked for is their mean
        moved = off[:, P.SLOT["expression"]].square().mean()
        return scaled + 0.2 * moved + 20 * (self.shape(out)[1] - self.shape(target)[1]).abs().mean()

    def validate(self, rows):
        out = self.model(load(rows, 224)[0])
        target = coefficients(rows)
        marks = (self.shape(out)[1] - self.shape(target)[1]).norm(dim=-1).mean() * 128
        error = (out - target).abs().mean(0)
        angle = torch.rad2deg(error[P.STYLE : P.STYLE + 3]).tolist()
        return f"landmarks {marks:.2f} px of 128, angles {[round(a, 1) for a in angle]} deg, expression {error[P.SLOT['expression']].mean():.3f}"


class ParseTask:
    batch, rate = 6, 4e-3

    def __init__(self, pictures):
        self.model = W.Parse()
        self.side = self.model.place.shape[-1]
        if "labels" in pictures.parts:
            stride = pictures.parts["labels"][0].shape[-1] // self.side
            self.model.count(np.concatenate(pictures.parts["labels"][:20])[:, ::stride, ::stride])
        weight = torch.ones(W.CLASSES)
        weight[[2, 3, 4, 5, 7, 8, 9]] = 3.0  # small classes
        self.weight = weight

    def loss(self, rows, rng):
        image, labels, cover = seen(rows, self.side, rng)
        if torch.rand(()) < 0.5:
            k = int(torch.randint(-8, 9, ()))
            image, labels, cover = torch.roll(image, k, 3), torch.roll(labels, k, 2), torch.roll(cover, k, 2)
        return F.cross_entropy(self.model(image), torch.where(cover, -100, labels), self.weight)

    def validate(self, rows):
        image, labels = load(rows, self.side)
        got = self.model(image).argmax(1)
        iou = []
        for c in range(W.CLASSES):
            a, b = got == c, labels == c
            if b.any():
                iou.append(float((a & b).sum() / (a | b).sum()))
        mouth = torch.tensor([7, 8, 9])
        a, b = torch.isin(got, mouth), torch.isin(labels, mouth)
        return f"accuracy {float((got == labels).float().mean()):.4f}, mean IoU {np.mean(iou):.3f}, mouth IoU {float((a & b).sum() / (a | b).sum()):.3f}"


TASKS = {"deep3d": Deep3DTask, "parse": ParseTask}


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("task", choices=TASKS)
    a.add_argument("data", type=Path)
    a.add_argument("out", type=Path)
    a.add_argument("--minutes", type=float, default=12)
    a = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    a.out.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(a.data, ("p", "pose", "image", "labels", "alpha"))
    pictures.refresh()
    task = TASKS[a.task](pictures)
    held_out = [{k: pictures.held_out[k][i] for k in pictures.keys} for i in range(100)]
    model = task.model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=task.rate, weight_decay=1e-3)
    step, spent, total, state = 0, 0.0, a.minutes * 60, a.out / f"{a.task}.state"
    if state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"]), optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
        rng = np.random.default_rng(step)
    begin = said = time.time()

    def report(elapsed, loss):
        model.eval()
        with torch.no_grad():
            print(f"{elapsed:.0f} s step {step} loss {loss:.4f}; held out: {task.validate(held_out)}", flush=True)
        model.train()
        state_now = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "spent": elapsed}
        for value, path in ((model.state_dict(), a.out / f"{a.task}.pt"), (state_now, state)):
            torch.save(value, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)

    while (elapsed := time.time() - begin + spent) < total:
        for group in optimiser.param_groups:
            group["lr"] = task.rate * min(1, (step + 1) / 50) * (0.99 * 0.5 * (1 + math.cos(math.pi * elapsed / total)) + 0.01)
        loss = task.loss([pictures.row(i) for i in rng.integers(0, len(pictures), task.batch)], rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        step += 1
        if time.time() - said > 60:
            said = time.time()
            report(elapsed, loss.item())
    report(elapsed, loss.item())


if __name__ == "__main__":
    main()
