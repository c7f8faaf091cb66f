"""How fast a pack is rendered, and how much faster than by other hosts on the same tensors.

    python -m tools.pack.bench [--pack models/studio] [--json target/render.json] [--rounds 3]

The program renders seconds of speech through its nodes (`nodes/benches/render.rs`) and runs the role `render` alone; ONNX Runtime runs the same role by the
plain body that the model carries, and torch the module that the body was traced from. Ratios are of processor time, the fastest run
of each in all rounds, so that other work on the machine disturbs them little; frames a second are by the clock.
Writes `{"fps": …, "ratio_plain_onnx": …, "ratio_torch": …, …}`, which `make eval` takes into its report.
"""

import argparse
import dataclasses
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from . import generator as N
from . import roles as R

BENCH = ("cargo", "bench", "--quiet", "--locked", "-p", "talkgraph-nodes", "--bench", "render", "--")
TYPES = {"F16": np.float16, "F32": np.float32, "I64": np.int64}


def safetensors(path):
    """The tensors of a file in that format, by name."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    arrays = {}
    for name, about in header.items():
        first, end = about["data_offsets"]
        array = np.frombuffer(data[start + first : start + end], TYPES[about["dtype"]]).reshape(about["shape"])
        # What half precision holds exactly is stored so.
        arrays[name] = array.astype(np.float32) if array.dtype == np.float16 else array
    return arrays


def fastest(run, times):
    """Milliseconds of processor time of the fastest of so many runs."""
    best = float("inf")
    for _ in range(times):
        before = time.process_time()
        run()
        best = min(best, 1e3 * (time.process_time() - before))
    return best


class Others:
    """The other hosts, on one thread."""

    def __init__(self, pack, tensors):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(pack / "render.onnx"), options, providers=["CPUExecutionProvider"])
        self.inputs = {i.name: tensors[i.name] for i in self.session.get_inputs()}
        self.module = R.Render(dataclasses.replace(N.STUDIO, channels=tensors["planes"].shape[-1]))
        self.tensors = [torch.tensor(v) for v in self.inputs.values()]

    def plain(self):
        return self.session.run(["features"], self.inputs)[0]

    def torch(self):
        with torch.no_grad():
            return self.module(*self.tensors)[0].numpy()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--pack", type=Path, default=Path("models/studio"))
    a.add_argument("--json", type=Path, help="file for the figures")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--chunks", type=int, default=4, help="seconds of speech in a round")
    a = a.parse_args()
    torch.set_num_threads(1)
    rounds, others = [], None
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(a.rounds):
            command = [*BENCH, "--pack", a.pack.resolve(), "--inputs", folder, "--chunks", str(a.chunks)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            if others is None:
                tensors = safetensors(Path(folder) / "render.safetensors")
                others = Others(a.pack, tensors)
                difference = {name: float(np.abs(f() - tensors["features"]).max()) for name, f in (("plain", others.plain), ("torch", others.torch))}
            rounds.append(found | {"plain_onnx_ms": fastest(others.plain, 2), "torch_ms": fastest(others.torch, 3)})
    least = {k: min(r[k] for r in rounds) for k in ("operator_ms", "plain_onnx_ms", "torch_ms", "processor_ms", "frame_ms")}
    figures = {
        "fps": max(r["fps"] for r in rounds),
        "ratio_plain_onnx": least["plain_onnx_ms"] / least["operator_ms"],
        "ratio_torch": least["torch_ms"] / least["operator_ms"],
        **least,
        **{f"{name}_ms": ms for name, ms in min(rounds, key=lambda r: r["processor_ms"])["processor_ms_by_node"].items()},
        "difference_plain_onnx": difference["plain"],
        "difference_torch": difference["torch"],
    }
    for name, value in figures.items():
        print(f"{name:<24}{round(value, 5)}")
    if a.json:
        a.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
