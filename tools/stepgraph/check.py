"""Step graphs against torch autograd: gradients at the first step, losses after a number of steps, repeatability.

    python -m tools.stepgraph.check

builds the step of a small tri-plane generator that uses every kind of layer the exporter is made for, and compares.
"""

import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from .adam import Layout, make_step
from .export import export
from .run import evaluate, session

LARGEST_GRADIENT_ERROR = 1e-4  # of the largest gradient
LARGEST_LOSS_ERROR = 1e-3  # relative, after all steps


def compare(step, example: dict[str, torch.Tensor], path: Path, *, beta1: float, beta2: float, rate: float, steps=20, threads=2) -> dict:
    """Drive `step` in torch and its exported graph at `path` from the same state; gives the largest differences."""
    model = session(path, threads)
    ours = {name: value.numpy() for name, value in example.items()}
    theirs = dict(example)
    result = {}
    for t in range(1, steps + 1):
        sizes = {"step_size": rate / (1 - beta1**t), "bias2": math.sqrt(1 - beta2**t)}
        ours |= {k: np.array([x], np.float32) for k, x in sizes.items()}
        theirs |= {k: torch.tensor([x]) for k, x in sizes.items()}
        a, b = evaluate(model, ours), {k: x.detach() for k, x in step(**theirs).items()}
        if t == 1:
            again = evaluate(model, ours)
            result["repeatable"] = all(np.array_equal(a[k], again[k]) for k in a)
            gradient = b["m_out"].numpy()
            result["gradient_error"] = float(np.abs(a["m_out"] - gradient).max() / np.abs(gradient).max())
        for name in ("params", "m", "v"):
            ours[name], theirs[name] = a[f"{name}_out"], b[f"{name}_out"]
    result["loss_error"] = abs(float(a["loss"][0]) / float(b["loss"][0]) - 1)
    return result


class Small(torch.nn.Module):
    """A tri-plane generator in little: modulated convolution, planes, decoder, marching, up-sampler."""

    RAYS, SAMPLES, CHANNELS, WIDTH = 16, 8, 8, 24

    def __init__(self):
        super().__init__()
        c = self.CHANNELS
        self.planes = torch.nn.Parameter(torch.randn(1, 3 * c, 16, 16) * 0.1)
        self.affine = torch.nn.Linear(self.WIDTH, c)
        self.grow = torch.nn.Conv2d(c, 3 * c, 3, stride=2)
        self.constant = torch.nn.Parameter(torch.randn(1, c, 9, 9))
        self.hidden, self.out = torch.nn.Linear(c, 24), torch.nn.Linear(24, 1 + c)
        self.up = torch.nn.Conv2d(c, 3, 3)

    def forward(self, w, points, depths):
        c, rays = self.CHANNELS, self.RAYS
        x = self.constant * self.affine(w)[:, :, None, None]
        x = F.leaky_relu(self.grow(x), 0.2)
        planes = (self.planes + F.interpolate(x, size=(16, 16), mode="bilinear", align_corners=False)).reshape(3, c, 16, 16)
        grid = torch.stack([points[..., [0, 1]], points[..., [0, 2]], points[..., [2, 1]]], 1).reshape(3, -1, 1, 2)
        features = F.grid_sample(planes, grid, padding_mode="border", align_corners=False)[..., 0].sum(0).t()
        decoded = self.out(F.leaky_relu(self.hidden(features), 0.2)).reshape(1, rays * rays, self.SAMPLES, 1 + c)
        thickness = F.softplus(decoded[..., 0]) * 5 * F.pad(depths[..., 1:] - depths[..., :-1], (0, 1), value=0.1)
        passed = torch.exp(-(torch.cumsum(thickness, -1) - thickness))
        x = ((passed * (1 - torch.exp(-thickness)))[..., None] * decoded[..., 1:]).sum(2)
        x = x.transpose(1, 2).reshape(1, c, rays, rays)
        x = self.up(F.pad(F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), (1, 1, 1, 1), mode="replicate"))
        return torch.sigmoid(x)


def small_problem():
    """A step of the small generator and an example of its inputs."""
    torch.manual_seed(0)
    model = Small()
    params = {name: p.detach() for name, p in model.named_parameters()} | {"w": torch.randn(1, model.WIDTH)}
    layout = Layout.of(params, {"planes": 8.0, "w": 5.0})

    def loss(named, tensors):
        named = dict(named)
        image = torch.func.functional_call(model, named, (named.pop("w"), tensors["points"], tensors["depths"]))
        target, total = tensors["target"], 0.0
        for _ in range(2):
            off = image - target
            total = total + off.abs().mean() + (off[..., 1:] - off[..., :-1]).abs().mean()
            image, target = F.avg_pool2d(image, 2), F.avg_pool2d(target, 2)
        return total, {"decay": named["planes"].square().mean()}

    flat = layout.flatten(params)
    count = model.RAYS**2
    example = {"params": flat, "m": torch.zeros_like(flat), "v": torch.zeros_like(flat), "step_size": torch.zeros(1),
               "bias2": torch.ones(1), "target": torch.rand(1, 3, 32, 32), "points": torch.rand(1, count * model.SAMPLES, 3) * 2.4 - 1.2,
               "depths": torch.rand(1, count, model.SAMPLES).sort(-1)[0]}
    return make_step(loss, layout, beta1=0.9, beta2=0.99), example


def main() -> int:
    step, example = small_problem()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.onnx"
        model = export(step, example, path)
        result = compare(step, example, path, beta1=0.9, beta2=0.99, rate=1e-3)
    print(f"{len(model.graph.node)} nodes, {model.ByteSize() / 1e3:.0f} kB, gradient error {result['gradient_error']:.1e}, "
          f"loss error {result['loss_error']:.1e} after 20 steps, repeatable {result['repeatable']}")
    good = result["gradient_error"] < LARGEST_GRADIENT_ERROR and result["loss_error"] < LARGEST_LOSS_ERROR and result["repeatable"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
