"""Trains `audio2exp` on the shards of `data`.

    python -m tools.speech.train --data DIR --out model.pt [--steps 12000] [--threads 1]

Batches of 40-frame clips with the recurrence of the published runner simulated, over random root expressions. What is
exported are the weights' running means, which move steadier on voices that were not trained on.
The checkpoint is written every 500 steps; `--resume` goes on from it.
"""

import argparse
import copy
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

from . import CHANNEL, CHANNELS, FRAME_RATE, lips, measures, visemes
from .augment import augment
from .mel import COLUMNS, normalise, window_starts
from .network import ROOT_SHARE, Audio2Exp, Trainer

BATCH, FRAMES = 24, 40
_CLIP_COLUMNS = 125 + COLUMNS
_HELD_OUT = 20  # clips of each source
_BACKGROUND_SHARE = 2.0  # clips without speech are drawn this many times as often as their minutes say
_RATE = 2e-3
_AVERAGE = 0.999  # kept of the running means a step, at most: up to step 10,000 they are over about the last tenth of the steps
# A channel's squared errors count by how little it moves.
_CHANNEL_WEIGHT = torch.tensor([{"jawOpen": 10.0, "closure": 3.0, "mouthFunnel": 6.0, "mouthPucker": 2.5, "mouthRollLower": 2.5}.get(name, 4.0) for name in CHANNELS])
_PRESSED = CHANNEL["mouthRollUpper"], 0.12  # from this much of the channel on lips are held shut
_PRESSED_WEIGHT = torch.tensor([3.0 if name in ("jawOpen", "closure") else 1.0 for name in CHANNELS])  # of errors where they are
# What few sounds do is lost in the mean of all others unless its errors count more where it is done: from how much of the channel, and how much more.
_SELDOM = torch.tensor([{"tongueOut": 0.15, "mouthRollLower": 0.4}.get(name, 2.0) for name in CHANNELS])
_SELDOM_WEIGHT = torch.tensor([{"tongueOut": 8.0, "mouthRollLower": 2.0}.get(name, 1.0) for name in CHANNELS])
_APERTURE = torch.tensor(lips.row(lips.APERTURE), dtype=torch.float32)
_APERTURE_WEIGHT, _SHUT_WEIGHT = 0.5, 4.0  # of the aperture's squared error in centimetres; where the lips should be shut


class Shard:
    """One source's clips, their targets `[frames, C]` and sounds `[frames]`."""

    def __init__(self, path):
        arrays = np.load(path)
        self.mel, self.column = arrays["mel"], arrays["column"]
        times, sounds, segment = arrays["times"].astype(float), arrays["sounds"], arrays["segment"]
        self.segments = [
            [(*time, str(sound)) for time, sound in zip(times[i:j].tolist(), sounds[i:j], strict=True)] for i, j in zip(segment[:-1], segment[1:], strict=True)
        ]
        curves = [visemes.curves(said, frames / FRAME_RATE) for said, frames in zip(self.segments, arrays["frames"], strict=True)]
        self.targets, self.sound = (np.concatenate(parts) for parts in zip(*curves, strict=True))
        self.frame = np.cumsum([0, *arrays["frames"]])
        lengths = arrays["frames"].astype(float)
        lengths[:_HELD_OUT] = 0.0
        self.frames = lengths.sum()
        self.chance = lengths / self.frames

    def clip(self, rng, clip=None, begin=None, frames=FRAMES):
        """Mel `[columns, 80]` in dB, window starts in it, targets, sounds, and the targets one frame earlier."""
        k = rng.choice(len(self.chance), p=self.chance) if clip is None else clip
        length = self.frame[k + 1] - self.frame[k]
        begin = rng.integers(length - frames + 1) if begin is None else begin
        starts = window_starts(begin + frames)[begin:]
        last = self.column[k + 1] - self.column[k] - 1
        columns = np.clip(starts[0] + np.arange(starts[-1] - starts[0] + COLUMNS), 0, last)
        at = slice(self.frame[k] + begin, self.frame[k] + begin + frames)
        before = self.targets[at.start - 1] if begin else self.targets[at.start]
        return self.mel[self.column[k] + columns], starts - starts[0], self.targets[at], self.sound[at], before


def batch(shards, background, rng):
    """Tensors of one training step."""
    chances = np.array([shard.frames * (_BACKGROUND_SHARE if shard is background else 1.0) for shard in shards])
    mel = np.empty((BATCH, _CLIP_COLUMNS, 80), np.float32)
    behind = np.empty_like(mel)
    parts = []
    for i in range(BATCH):
        columns, *rest = shards[rng.choice(len(shards), p=chances / chances.sum())].clip(rng)
        mel[i] = np.pad(columns, ((0, _CLIP_COLUMNS - len(columns)), (0, 0)), mode="edge")
        columns = background.clip(rng)[0]
        behind[i] = np.pad(columns, ((0, _CLIP_COLUMNS - len(columns)), (0, 0)), mode="edge")
        parts.append(rest)
    starts, targets, sound, before = (torch.from_numpy(np.stack(part)) for part in zip(*parts, strict=True))
    return torch.from_numpy(mel), torch.from_numpy(behind), starts, targets.float(), sound.long(), before.float()


def roots(count):
    """Channels of random persons' own expressions: half at rest, half caught in the middle of a word."""
    caught = 0.7 * torch.rand(count, len(CHANNELS)) * (torch.rand(count, len(CHANNELS)) < 0.5) * torch.rand(count, 1)
    return torch.where(torch.rand(count, 1) < 0.5, 0.05 * torch.rand(count, len(CHANNELS)), caught)


def loss_of(predicted, targets, units, logits, sound):
    """Weighted squared error of positions, velocities and the lips' aperture, and the cross entropy of the sounds. `units` is the network's `Units`."""
    pressed = (targets[..., _PRESSED[0]] > _PRESSED[1])[..., None]
    weight = _CHANNEL_WEIGHT * torch.where(pressed, _PRESSED_WEIGHT, 1.0) * torch.where(targets > _SELDOM, _SELDOM_WEIGHT, 1.0)
    position = (weight * (predicted - targets) ** 2).mean()
    velocity = (_CHANNEL_WEIGHT * (predicted.diff(dim=1) - targets.diff(dim=1)) ** 2).mean()
    given, wanted = ((units.shut(channels) @ _APERTURE).clamp(min=0) for channels in (predicted, targets))
    apart = (torch.where(wanted < lips.APART / 2, _SHUT_WEIGHT, 1.0) * (given - wanted) ** 2).mean()
    return position + 0.5 * velocity + _APERTURE_WEIGHT * apart, 0.03 * F.cross_entropy(logits.flatten(0, 1), sound.flatten())


@torch.no_grad()
def average(mean, trainer, step):
    """Moves the running means of weights and of batch statistics towards a step's; early ones are soon forgotten."""
    share = 1 - min(_AVERAGE, step / (step + 10))
    for kept, now in zip(mean.state_dict().values(), trainer.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(now, share)
        else:
            kept.copy_(now)


@torch.no_grad()
def held_out(trainer, shards):
    """`measures.follow` on the held-out clips of each source."""
    trainer.eval()
    report = {}
    for name, shard in shards.items():
        if name == "background":  # constant targets have no correlation
            continue
        predicted, wanted = [], []
        for k in range(_HELD_OUT):
            mel, starts, targets, *_ = shard.clip(None, k, 0, shard.frame[k + 1] - shard.frame[k])
            mel = normalise(torch.from_numpy(mel.astype(np.float32)))[None]
            rest = torch.zeros(1, len(CHANNELS))
            predicted.append(lips.seen(trainer(mel, torch.from_numpy(starts)[None], rest, rest)[0][0].numpy()))
            wanted.append(lips.seen(targets))
        report[name] = measures.follow(predicted, wanted, shard.segments[:_HELD_OUT])
    trainer.train()
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--sources", default="", help="comma-separated (default: every shard)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    wanted = set(filter(None, arguments.sources.split(",")))
    paths = [p for p in sorted(arguments.data.glob("*.npz")) if not wanted or p.stem in wanted | {"background"}]
    shards = {path.stem: Shard(path) for path in paths}
    background = shards["background"]
    trainer = Trainer(Audio2Exp()).to(memory_format=torch.channels_last)  # a sixth faster
    mean = copy.deepcopy(trainer)
    optimiser = torch.optim.AdamW(trainer.parameters(), _RATE, weight_decay=1e-2)
    step = 0
    if arguments.resume:
        saved = torch.load(arguments.out, weights_only=True)
        trainer.load_state_dict(saved["trainer"])
        mean.load_state_dict(saved["mean"])
        optimiser.load_state_dict(saved["optimiser"])
        step = saved["step"]
    rng = np.random.default_rng([arguments.seed, step])
    minutes = {name: round(shard.frames / 1500) for name, shard in shards.items()}
    print(minutes, sum(p.numel() for p in trainer.model.parameters()), "parameters", flush=True)

    began, running = time.time(), None
    while step < arguments.steps:
        rate = _RATE * min(1.0, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * step / arguments.steps)) + 0.005)
        for group in optimiser.param_groups:
            group["lr"] = rate
        mel, behind, starts, targets, sound, before = batch(list(shards.values()), background, rng)
        units = trainer.model.head.units
        root = units.shut(roots(BATCH))
        # A clip begins with the person's root, as the runner does, or in the middle of speech.
        blended = ROOT_SHARE * root + (1 - ROOT_SHARE) * (units.shut(before) + 0.05 * torch.randn_like(before)).clamp(0, 1)
        first = torch.where(torch.rand(BATCH, 1) < 0.2, root, blended)
        predicted, logits = trainer(normalise(augment(mel, behind)), starts, root, first)
        error, classes = loss_of(predicted, targets, units, logits, sound)
        optimiser.zero_grad()
        (error + classes).backward()
        torch.nn.utils.clip_grad_norm_(trainer.parameters(), 1.0)
        optimiser.step()
        step += 1
        average(mean, trainer, step)
        running = error.item() if running is None else 0.98 * running + 0.02 * error.item()
        if step % 100 == 0:
            print(f"step {step} loss {running:.4f} {time.time() - began:.0f} s", flush=True)
        if step % 500 == 0 or step == arguments.steps:
            parts = {"model": mean.model, "trainer": trainer, "mean": mean, "optimiser": optimiser}
            saved = {name: part.state_dict() for name, part in parts.items()}
            torch.save({**saved, "step": step, "sizes": trainer.model.sizes}, arguments.out)
            for name, figures in held_out(mean, shards).items():
                print(name, figures, flush=True)


if __name__ == "__main__":
    main()
