"""Trains the generator by supervision: `python -m tools.pack.train_generator DATA OUT --minutes 188`.

Patches of 32² rays (64² pixels) with samples spread over the volume and near the true surface; errors of colours with the face, and most
of all eyes, lips and mouth, weighted, low-resolution colours, gradients, alpha and depth. It starts at half resolution, where a patch shows
a whole face, and goes on at the full one. Keeps OUT/generator.pt (the moving average of the weights, as StyleGAN's), OUT/generator.state (to go on from) and
OUT/generator.png (truth above generator).
"""

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ..heads import geometry as G
from ..heads import params as P
from ..heads.classes import EYE_L, EYE_R, LIP_L, LIP_U, MOUTH, SKIN
from ..heads.crop import reduce
from . import generator as N

BATCH, PATCH, SPREAD, NEAR = 8, 32, 4, 5
COARSE = 0.3  # of the time at half resolution
ANYWHERE = 0.2  # of the patches lie anywhere, the others about the face
HELD_OUT = 100
AVERAGE, EVERY = 0.998, 4  # what the average of the weights keeps of itself a step; steps between its updates
KEYS = ("p", "pose", "image", "labels", "depth", "mask")


class Pictures:
    """Shards of `tools.heads.data`, added as they appear; the first shard is held out."""

    def __init__(self, folder, keys=KEYS):
        self.folder, self.keys, self.seen, self.parts = folder, keys, set(), {k: [] for k in keys}
        self.held_out = None

    def refresh(self):
        for file in sorted(self.folder.glob("shard_*.npz")):
            if file.name in self.seen:
                continue
            self.seen.add(file.name)
            with np.load(file) as f:
                rows = {k: f[k] for k in self.keys}
            if self.held_out is None and file.name == "shard_0_000.npz":
                self.held_out = rows
            else:
                for k in self.keys:
                    self.parts[k].append(rows[k])

    def __len__(self):
        return sum(len(a) for a in self.parts["p"])

    def row(self, i):
        shard, k = divmod(int(i), len(self.parts["p"][0]))
        return {key: self.parts[key][shard][k] for key in self.keys}


def picture(u8):
    """Numbers in [0,255], [.., h, w, 3], to float [.., 3, h, w] in [-1,1]."""
    return torch.from_numpy(np.ascontiguousarray(u8)).movedim(-1, -3).float() / 127.5 - 1


def validate(model, rows, count, path=None):
    """Mean PSNR of whole pictures and of faces (all but background, hair, clothes) on held-out people."""
    whole, face, strips = [], [], []
    with torch.no_grad():
        for i in range(0, count, 4):
            s = slice(i, min(i + 4, count))
            out = model(torch.tensor(rows["p"][s]), torch.tensor(rows["pose"][s]))["image"].clamp(-1, 1)
            truth = picture(rows["image"][s])
            error = ((out - truth) / 2) ** 2
            label = torch.tensor(rows["labels"][s])
            mask = ((label > 0) & (label < 10)).float()[:, None]
            whole += (-10 * torch.log10(error.mean((1, 2, 3)))).tolist()
            face += (-10 * torch.log10((error * mask).sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3))))).tolist()
            strips.append(torch.cat([truth, out], 2))
    if path is not None:
        strip = torch.cat(list(torch.cat(strips)[:8]), 2)
        rows_ = torch.cat([strip[..., : strip.shape[-1] // 2], strip[..., strip.shape[-1] // 2 :]], 1)
        Image.fromarray(((rows_.permute(1, 2, 0) + 1) * 127.5).byte().numpy()).save(path)
    return float(np.mean(whole)), float(np.mean(face))


def batch(pictures, rng, side, full):
    """A batch of patches of pictures of `side` pixels; pictures are stored at `full` pixels, depth and mask at half of that."""
    rays, k = side // 2, full // side
    rows = [pictures.row(i) for i in rng.integers(0, len(pictures), BATCH)]
    room = rays - PATCH

    def corner(middle, spread):
        face = rng.normal(middle * rays - PATCH / 2, spread * rays, BATCH)
        at = np.where(rng.random(BATCH) < ANYWHERE, rng.uniform(-0.1, 1.1, BATCH) * room, face)
        return np.clip(np.round(at), 0, room).astype(int)

    x0, y0 = corner(0.5, 0.17), corner(0.54, 0.19)

    def cut(key, scale):
        size = scale * PATCH
        return np.stack([r[key][y * scale : y * scale + size, x * scale : x * scale + size] for r, x, y in zip(rows, x0, y0)])

    images, labels, depth, mask = cut("image", 2 * k), cut("labels", 2 * k), cut("depth", k).astype(np.float32), cut("mask", k)
    if k == 2:
        images, mask = (np.stack([reduce(one, 2) for one in a]) for a in (images, mask))
        labels, depth = labels[:, ::2, ::2], depth[:, ::2, ::2]
    label = torch.from_numpy(np.ascontiguousarray(labels))
    face = (label >= SKIN) & (label <= LIP_L)
    fine = (label == EYE_L) | (label == EYE_R) | (label == LIP_U) | (label == LIP_L) | (label == MOUTH)
    return {
        "p": torch.tensor(np.stack([r["p"] for r in rows])), "pose": torch.tensor(np.stack([r["pose"] for r in rows])),
        "x0": torch.tensor(x0), "y0": torch.tensor(y0), "image": picture(images), "depth": torch.from_numpy(np.ascontiguousarray(depth)),
        "mask": torch.from_numpy(mask.astype(np.float32)) / 255, "weight": F.max_pool2d((1 + face.float() + 3.0 * fine.float())[:, None], 3, 1, 1),
    }  # fmt: skip


def loss(model, b, side):
    """Loss terms of a batch of patches."""
    rays, n = side // 2, len(b["p"])
    state = model.prepare(b["p"], rays=rays)
    at = torch.arange(PATCH)
    xs = (at[None].expand(PATCH, PATCH).reshape(1, -1) + b["x0"][:, None]).float()
    ys = (at[:, None].expand(PATCH, PATCH).reshape(1, -1) + b["y0"][:, None]).float()
    o, d = G.pixel_rays(b["pose"], xs, ys, rays)
    reach = o.norm(dim=-1, keepdim=True)
    depth = b["depth"].reshape(n, -1) + G.DISTANCE
    solid = b["depth"].reshape(n, -1) < 5
    span, count = N.FAR + N.NEAR, PATCH * PATCH
    spread = (torch.arange(SPREAD) + torch.rand(n, count, SPREAD)) / SPREAD * span - N.NEAR + reach
    near = torch.where(
        solid[..., None],
        depth[..., None] + torch.randn(n, count, NEAR) * 0.07,
        torch.rand(n, count, NEAR) * span - N.NEAR + reach,
    )
    near = torch.minimum(torch.maximum(near, reach - N.NEAR), reach + N.FAR)
    t = torch.cat([spread, near], -1).sort(-1)[0]
    points = o[:, :, None] + t[..., None] * d[:, :, None]
    f, alpha, w = model.field.render(state, points, t, blend=False)
    ground = torch.stack([g[:, y : y + PATCH, x : x + PATCH] for g, x, y in zip(state["background"], b["x0"].tolist(), b["y0"].tolist())])
    f = f + (1 - alpha) * ground
    image = model.upsample(state, f)
    truth, weight = b["image"], b["weight"]
    low, low_weight = F.avg_pool2d(truth, 2), F.avg_pool2d(weight, 2)
    dx, dy = (lambda a: a[..., 1:] - a[..., :-1]), (lambda a: a[..., 1:, :] - a[..., :-1, :])
    terms = {
        "l1": 0.4 * ((image - truth).abs() * weight).mean(),
        "l2": 2.0 * ((image - truth).square() * weight).mean(),
        "low": 0.25 * ((f[:, :3] - low).abs() * low_weight).mean(),
        "edge": 0.3 * (((dx(image) - dx(truth)).abs() * weight[..., 1:]).mean() + ((dy(image) - dy(truth)).abs() * weight[..., 1:, :]).mean()),
        "alpha": 0.4 * (alpha[:, 0] - b["mask"]).abs().mean(),
        "depth": 0.5 * ((w * (t - depth[..., None]).abs().clamp(max=0.6)).sum(-1) * solid).mean(),
    }
    return terms


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("data", type=Path)
    a.add_argument("out", type=Path)
    a.add_argument("--minutes", type=float, default=188)
    a.add_argument("--rate", type=float, default=2.5e-3)
    a = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    a.out.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(a.data)
    pictures.refresh()
    model = N.Generator()
    full = model.config.side
    # every number of the palette reaches all pixels of a material at once
    scales = {"mean": 1.5, "basis": 1.5, "maps": 1.5, "windows": 1.5, "mix": 0.3, "window_mix": 0.3, "palette": 0.1, "palette_more": 0.1}
    groups = {scale: [] for scale in (1.0, *scales.values())}
    for name, value in model.named_parameters():
        groups[scales.get(name.split(".")[0], 1.0)].append(value)
    groups = [{"params": values, "scale": scale} for scale, values in groups.items()]
    optimiser = torch.optim.Adam(groups, lr=a.rate, betas=(0.9, 0.99), foreach=True)
    step, spent, total = 0, 0.0, a.minutes * 60
    average = copy.deepcopy(model).requires_grad_(False)
    if (a.out / "generator.state").exists():
        saved = torch.load(a.out / "generator.state", weights_only=True)
        model.load_state_dict(saved["model"]), average.load_state_dict(saved["average"]), optimiser.load_state_dict(saved["optimiser"])
        step, spent = saved["step"], saved["spent"]
        rng = np.random.default_rng(step)
    else:
        p = np.concatenate(pictures.parts["p"])[:, : P.STYLE]
        model.p_mean.copy_(torch.tensor(p.mean(0)))
        model.p_std.copy_(torch.tensor(p.std(0)) + 0.05)
        average.load_state_dict(model.state_dict())

    def keep():
        parts = {"model": model, "average": average, "optimiser": optimiser}
        state = {name: part.state_dict() for name, part in parts.items()} | {"step": step, "spent": elapsed}
        for name, value in (("generator.pt", average.state_dict()), ("generator.state", state)):
            torch.save(value, a.out / (name + ".part"))
            (a.out / (name + ".part")).rename(a.out / name)

    begin = said = kept = time.time()
    while (elapsed := time.time() - begin + spent) < total:
        rate = a.rate * min(1, step / 50) * (0.97 * 0.5 * (1 + math.cos(math.pi * elapsed / total)) + 0.03)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        if step % 100 == 0:
            pictures.refresh()
        side = full // 2 if elapsed < COARSE * total else full
        terms = loss(model, batch(pictures, rng, side, full), side)
        optimiser.zero_grad()
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % EVERY == 0:
            kept_share = min(AVERAGE, 1 - 10 / (step + 10)) ** EVERY  # soon forgets where it began
            torch._foreach_lerp_(list(average.parameters()), [p.detach() for p in model.parameters()], 1 - kept_share)
        if time.time() - said > 30:
            said = time.time()
            print(f"{elapsed:.0f} s step {step} of {len(pictures)} pictures, " + " ".join(f"{k} {v.item():.4f}" for k, v in terms.items()), flush=True)
        if time.time() - kept > 300:
            kept = time.time()
            keep()
            whole, face = validate(average, pictures.held_out, 24, a.out / "generator.png")
            print(f"  held out: {whole:.2f} dB, face {face:.2f} dB at {elapsed:.0f} s", flush=True)
    keep()
    whole, face = validate(average, pictures.held_out, HELD_OUT, a.out / "generator.png")
    print(f"done: {step} steps, held out {HELD_OUT}: {whole:.2f} dB, face {face:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
