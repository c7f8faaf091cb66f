"""Step graphs of the inversion beside torch on the same processor: gradients, losses, seconds.

    python -m tools.published.stylenerf.measure [--resolution 64] [--phase tune] [--steps 20] [--threads 2]

Weights are those that follow from names; the perceptual networks have the shapes of VGG16 and AlexNet and random weights. Both sides take
their steps by turns, so that whatever else the machine does slows both; processor time is told too, which it does not.
"""

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tools.stepgraph.export import export
from tools.stepgraph.phase import example_step
from tools.stepgraph.run import evaluate, learning_rate, session

from . import inversion
from .golden import Golden

# outputs, side, stride and padding of a convolution; side of a pooling; "tap": features are taken here
VGG16 = [(64, 3, 1, 1)] * 2 + ["tap", 2] + [(128, 3, 1, 1)] * 2 + ["tap", 2] + [(256, 3, 1, 1)] * 3 + ["tap", 2]
VGG16 += [(512, 3, 1, 1)] * 3 + ["tap", 2] + [(512, 3, 1, 1)] * 3 + ["tap"]
ALEXNET = [(64, 11, 4, 2), "tap", 3, (192, 5, 1, 2), "tap", 3, (384, 3, 1, 1), "tap", (256, 3, 1, 1), "tap", (256, 3, 1, 1), "tap"]


class Tower(torch.nn.Module):
    """A perceptual network of random weights: features normalised across channels, weighted so that places of a layer count as one."""

    def __init__(self, plan):
        super().__init__()
        self.plan, self.convolutions, inputs = plan, torch.nn.ModuleList(), 3
        for outputs, side, stride, padding in (entry for entry in plan if isinstance(entry, tuple)):
            layer = torch.nn.Conv2d(inputs, outputs, side, stride, padding)
            torch.nn.init.kaiming_normal_(layer.weight)
            self.convolutions.append(layer)
            inputs = outputs

    def features(self, x):
        found, layers = [], iter(self.convolutions)
        for entry in self.plan:
            if entry == "tap":
                length = x.square().sum(1, keepdim=True).clamp(min=1e-20).sqrt()
                found.append((x / (length + 1e-10) * (x.shape[2] * x.shape[3]) ** -0.5).flatten(1))
            else:
                x = F.relu(next(layers)(x)) if isinstance(entry, tuple) else F.max_pool2d(x, entry, 2)
        return torch.cat(found, 1)


def towers():
    torch.manual_seed(0)
    return [Tower(plan).eval().requires_grad_(False) for plan in (VGG16, ALEXNET)]


def problem(golden: Golden, name: str):
    """A phase of the inversion and an example of its step's inputs, at the recorded person and camera."""
    generator, t = golden.generator(), golden.tensors
    phase = {phase.name: phase for phase in inversion.phases(generator, *towers())}[name]
    known = {"target": golden.target(), "pose": torch.zeros(1, 6), "w": t["ws"], "background_latent": t["latent2"]}
    with torch.no_grad():
        known |= phase.init(**known)
    return phase, example_step(phase, known, known.pop("params"))


def compare(phase, example, path, steps: int, threads: int) -> dict:
    """Drives the step in torch and its graph from the same state: errors and seconds."""
    model, schedule = session(path, threads), phase.schedule() | {"steps": 1000}
    ours, theirs = {name: value.numpy() for name, value in example.items()}, dict(example)
    seconds, busy, gradient = {"onnx": [], "torch": []}, {"onnx": [], "torch": []}, math.nan
    for index in range(steps):
        t = index + 1
        step_size = learning_rate(schedule, index) / (1 - phase.beta1**t)
        host = {"step_size": step_size, "bias2": math.sqrt(1 - phase.beta2**t), "progress": index / 1000}
        host = {name: torch.tensor([value], dtype=torch.float32) for name, value in host.items()}
        if phase.noises:
            host["noise"] = torch.randn(phase.noises)
        times = [(time.perf_counter(), time.process_time())]
        a = evaluate(model, ours | {name: value.numpy() for name, value in host.items()})
        times.append((time.perf_counter(), time.process_time()))
        b = {name: value.detach() for name, value in phase.step(**theirs | host).items()}
        times.append((time.perf_counter(), time.process_time()))
        for side, before, after in zip(seconds, times, times[1:]):
            seconds[side].append(after[0] - before[0])
            busy[side].append(after[1] - before[1])
        if index == 0:
            gradient = float(np.abs(a["m_out"] - b["m_out"].numpy()).max() / b["m_out"].abs().max())
        for name in ("params", "m", "v"):
            ours[name], theirs[name] = a[f"{name}_out"], b[f"{name}_out"]
    losses = {name: (float(a[name][0]), float(b[name])) for name in a if not name.endswith("_out")}
    error = abs(losses["loss"][0] / losses["loss"][1] - 1)
    return {"gradient_error": gradient, "losses": losses, "loss_error": error, "seconds": seconds, "busy": busy}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=64, choices=(64, 256, 1024))
    parser.add_argument("--phase", choices=("pivot", "tune"), default="tune")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    phase, example = problem(Golden(arguments.resolution), arguments.phase)
    with tempfile.TemporaryDirectory() as folder:
        path, began = Path(folder) / "step.onnx", time.perf_counter()
        model = export(phase.step, example, path)
        print(f"{len(model.graph.node)} nodes, {path.stat().st_size / 1e6:.0f} MB, exported in {time.perf_counter() - began:.0f} s", flush=True)
        found = compare(phase, example, path, arguments.steps, arguments.threads)
    print(f"gradient of the first step {found['gradient_error']:.1e} of its largest, loss {found['loss_error']:.1e} after {arguments.steps} steps")
    for name, (ours, theirs) in found["losses"].items():
        print(f"  {name}: {ours:.6g}, in torch {theirs:.6g}")
    for name, taken in found["seconds"].items():
        busy = statistics.median(found["busy"][name])
        print(f"  {name}: {statistics.median(taken):.3f} s a step in the median, {min(taken):.3f} at the least; {busy:.3f} s of processors")
    for name in ("seconds", "busy"):
        ratios = [theirs / ours for ours, theirs in zip(*found[name].values())]
        print(f"  {name}: torch's step takes {statistics.median(ratios):.2f} times as much in the median of pairs")


if __name__ == "__main__":
    main()
