"""The small network of graphs/examples/upscale.yaml, which doubles the size of pictures: `python -m tools.examples.upscale graphs/examples/upscale2x.onnx`.

Sub-pixel convolution (Shi et al. 2016) beside a bilinear enlargement, trained on heads that `tools.heads` draws: no photograph. Input `frames` f32 [n,3,H,W] in [0,1], output
`doubled` f32 [n,3,2H,2W].
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ..heads.crop import framed
from ..heads.picture import picture, random_person
from ..heads.render import Renderer

CHANNELS, PATCH, BATCH, HELD_OUT = 20, 48, 16, 4
RATE = 1.5e-3


class Doubler(torch.nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda a, b: torch.nn.Conv2d(a, b, 3, padding=1, padding_mode="replicate")
        self.layers = torch.nn.Sequential(conv(3, CHANNELS), torch.nn.LeakyReLU(0.1), conv(CHANNELS, CHANNELS), torch.nn.LeakyReLU(0.1), conv(CHANNELS, 12))
        torch.nn.init.zeros_(self.layers[-1].weight), torch.nn.init.zeros_(self.layers[-1].bias)

    def forward(self, frames):
        rough = F.interpolate(frames, scale_factor=2.0, mode="bilinear", align_corners=False)
        return (rough + F.pixel_shuffle(self.layers(frames), 2)).clamp(0, 1)


def pictures(count, side):
    """Drawn people, [n,3,side,side] in [0,1]."""
    renderer, drawn = Renderer(), []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        person = random_person(rng)
        drawn.append(torch.from_numpy(picture(renderer, person, framed(renderer, person, rng), side)["image"]).permute(2, 0, 1).float() / 255)
    return torch.stack(drawn)


def psnr(a, b):
    return float(-10 * torch.log10((a - b).square().mean()))


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("out", type=Path)
    a.add_argument("--pictures", type=int, default=48)
    a.add_argument("--side", type=int, default=512)
    a.add_argument("--steps", type=int, default=2000)
    a = a.parse_args()
    torch.set_num_threads(1), torch.manual_seed(0)
    sharp, began = pictures(a.pictures, a.side), time.time()
    held, sharp = sharp[:HELD_OUT], sharp[HELD_OUT:]
    model, rng = Doubler(), np.random.default_rng(0)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    for step in range(a.steps):
        corners = rng.integers(0, a.side // 2 - PATCH, (BATCH, 2)) * 2
        of = rng.integers(0, len(sharp), BATCH)
        truth = torch.stack([sharp[k, :, y : y + 2 * PATCH, x : x + 2 * PATCH] for k, (y, x) in zip(of, corners)])
        # Frames out of a video have noise and are a little soft.
        small = F.avg_pool2d(truth, 2) + 0.004 * torch.rand(()) * torch.randn(BATCH, 3, PATCH, PATCH)
        error = model(small) - truth
        loss = error.abs().mean() + 30 * error.square().mean()
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * step / a.steps))
        optimiser.zero_grad(), loss.backward(), optimiser.step()
        if step % 500 == 0:
            print(f"step {step}: {loss.item():.4f}, {time.time() - began:.0f} s", flush=True)
    with torch.no_grad():
        small = F.avg_pool2d(held, 2)
        print(f"held out: {psnr(model(small), held):.2f} dB, bilinear {psnr(F.interpolate(small, scale_factor=2, mode='bilinear', align_corners=False), held):.2f} dB, "
              f"bicubic {psnr(F.interpolate(small, scale_factor=2, mode='bicubic', align_corners=False), held):.2f} dB")
    axes = {"frames": {0: "n", 2: "h", 3: "w"}, "doubled": {0: "n", 2: "h2", 3: "w2"}}
    torch.onnx.export(model.eval(), (small[:1],), a.out, dynamo=False, opset_version=20, input_names=["frames"], output_names=["doubled"], dynamic_axes=axes)
    print(f"{a.out}: {a.out.stat().st_size / 1000:.0f} kB, {sum(p.numel() for p in model.parameters())} weights")


if __name__ == "__main__":
    main()
