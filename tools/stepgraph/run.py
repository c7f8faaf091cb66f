"""A reference host for optimisation phases: what a program around ONNX Runtime does, in Python.

    python -m tools.stepgraph.run PACK OPTIMISATION TENSORS.npz [--out RESULT.npz] [--quality Q] [--threads N] [--seed N]

TENSORS holds what the node offers, by name; RESULT gets everything that the phases leave in the set.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import onnxruntime
import yaml


def session(path: str | Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def evaluate(model: onnxruntime.InferenceSession, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a model on the tensors that it declares."""
    missing = [i.name for i in model.get_inputs() if i.name not in tensors]
    if missing:
        raise KeyError(f"the model wants {missing}, the set holds {sorted(tensors)}")
    results = model.run(None, {i.name: tensors[i.name] for i in model.get_inputs()})
    return dict(zip((o.name for o in model.get_outputs()), results))


def learning_rate(phase: dict, index: int) -> float:
    """The learning rate of step `index`, counted from 0."""
    steps, rate = phase["steps"], phase["learning_rate"]
    if phase.get("ramp_up"):
        rate *= min(1.0, (index + 1) / (phase["ramp_up"] * steps))
    if phase.get("ramp_down"):
        rate *= 0.5 - 0.5 * math.cos(math.pi * min(1.0, (steps - index) / (phase["ramp_down"] * steps)))
    return rate


class Settling:
    """Tells when a phase no longer gains: the mean of a loss over a window beside that over the window before."""

    def __init__(self, rule: dict | None):
        self.rule, self.heard = rule, []

    def hear(self, losses: dict[str, float]) -> bool:
        if not self.rule:
            return False
        self.heard.append(losses[self.rule["loss"]])
        window = self.rule["window"]
        before, last = self.heard[-2 * window : -window], self.heard[-window:]
        return len(self.heard) >= 2 * window and sum(last) > (1 - self.rule["gain"]) * sum(before)


def wanted(model, name: str) -> int:
    """The length of a vector input, 0 where the model has none of that name."""
    return next((i.shape[0] for i in model.get_inputs() if i.name == name), 0)


def run_phase(folder: Path, phase: dict, tensors: dict, *, threads=2, random=None, report=None) -> dict:
    """Run one phase; gives the set of tensors after it. `report(index, losses, seconds)` sees every step."""
    random = random or np.random.default_rng(0)
    load = lambda part: session(folder / phase[part], threads) if phase.get(part) else None
    init, step, view, view_step, finish = (load(part) for part in ("init", "step", "view", "view_step", "finish"))
    constants = evaluate(init, tensors)
    params = constants.pop("params")
    known = tensors | constants
    m, v = np.zeros_like(params), np.zeros_like(params)
    one = lambda value: np.array([value], np.float32)
    every, stop = phase.get("view_every", 0), phase.get("stop")
    settling, left_out, taken = Settling(phase.get("settle")), 0, 0
    while (index := taken + left_out) < phase["steps"]:
        began, model, seen = time.perf_counter(), step, known
        if sees_view := view is not None and every and taken % every == every - 1:
            seen = known | evaluate(view, known | {"random": random.random(wanted(view, "random"), np.float32)})
            model = view_step or step
        beta1, beta2 = phase.get("beta1", 0.9), phase.get("beta2", 0.999)
        host = {"params": params, "m": m, "v": v, "step_size": one(learning_rate(phase, index) / (1 - beta1 ** (taken + 1))),
                "bias2": one(math.sqrt(1 - beta2 ** (taken + 1))), "progress": one(index / phase["steps"])}
        if noises := wanted(model, "noise"):
            host["noise"] = random.standard_normal(noises, np.float32)
        result = evaluate(model, seen | host)
        losses = {k: float(x[0]) for k, x in result.items() if not k.endswith("_out")}
        if report:
            report(index, losses, time.perf_counter() - began)
        if stop and losses.get(stop["loss"], math.inf) < stop["below"]:
            break  # the loss was that of the old state, which is kept
        params, m, v = result["params_out"], result["m_out"], result["v_out"]
        taken += 1
        if not sees_view and settling.hear(losses):
            falls = math.ceil((1 - phase.get("ramp_down", 0)) * phase["steps"])
            left_out += max(0, (falls if taken + left_out < falls else phase["steps"]) - taken - left_out)
            settling.heard.clear()
    return tensors | evaluate(finish, known | {"params": params})


def run(folder: str | Path, optimisation: str, tensors: dict, *, quality="standard", threads=2, seed=0, report=None) -> dict:
    """Run all phases of an optimisation of the pack in `folder`. `report(phase, index, losses, seconds)` sees every step."""
    folder = Path(folder)
    pack = yaml.safe_load((folder / "pack.yaml").read_text())
    random = np.random.default_rng(seed)
    for phase in pack["optimisations"][optimisation]:
        if isinstance(phase["steps"], dict):
            phase["steps"] = phase["steps"][quality]
        told = (lambda *a, name=phase["name"]: report(name, *a)) if report else None
        tensors = run_phase(folder, phase, tensors, threads=threads, random=random, report=told)
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("optimisation")
    parser.add_argument("tensors", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quality", choices=("draft", "standard", "fine"), default="standard")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    def report(phase, index, losses, seconds):
        print(f"{phase} {index:4d} {seconds:6.3f} s  " + "  ".join(f"{k} {v:.5f}" for k, v in losses.items()))

    with np.load(arguments.tensors) as offered:
        result = run(arguments.pack, arguments.optimisation, dict(offered), quality=arguments.quality, threads=arguments.threads, seed=arguments.seed, report=report)
    if arguments.out:
        np.savez(arguments.out, **result)


if __name__ == "__main__":
    main()
