"""Writes the network as the three files of a pack, and checks them against PyTorch. What is written is the `network.Ensemble` of the checkpoints.

    python -m tools.speech.export model.pt [model.pt …] models/studio

`audio2exp.onnx` is the published interface; `audio2exp_encoder.onnx` and `audio2exp_head.onnx` are its two halves, so
that the encoder can run for all frames in one batch. Shapes are in `network`. Large weights are stored in half precision.
"""

import argparse
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto

from ..pack.export import halve
from ..pack.write import LARGE
from . import EXPRESSION, network
from .mel import BANDS, WINDOW

OPSET, IR_VERSION = 20, 10
_TOLERANCE, _ROUNDED = 1e-5, 2e-3  # of expressions and embeddings from PyTorch's; where constants were rounded


def examples(count, embedding):
    """Random tensors in the ranges that the inputs have."""
    generator = torch.Generator().manual_seed(1)
    return {
        "mel": torch.rand(count, 1, BANDS, WINDOW, generator=generator) * 8 - 4,
        "embedding": torch.rand(count, embedding, generator=generator),
        "reference": torch.rand(count, 1, len(EXPRESSION), generator=generator),
        "ratio": torch.rand(count, 1, generator=generator),
    }


def _write(module, inputs, output, path):
    """Writes one file; gives whether constants were rounded."""
    names = list(inputs)
    # The exporter by tracing needs no further package, and says on every call that it is the older one.
    warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based", DeprecationWarning)
    torch.onnx.export(
        module,
        tuple(inputs.values()),
        path,
        input_names=names,
        output_names=[output],
        dynamic_axes={name: {0: "n"} for name in [*names, output]},
        opset_version=OPSET,
        dynamo=False,
    )
    exported = onnx.load(path)
    rounded = {c.name for c in exported.graph.initializer if c.data_type == TensorProto.FLOAT and np.prod(c.dims) >= LARGE}
    halve(exported, rounded)
    exported.ir_version = IR_VERSION
    exported.producer_name, exported.producer_version = "talkgraph", ""
    onnx.checker.check_model(exported, full_check=True)
    onnx.save(exported, path)
    return bool(rounded)


def _check(module, sample, output, path, tolerance):
    """Largest difference from PyTorch, for two batch sizes. Raises ValueError beyond `tolerance`."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count in (1, 5):
        inputs = sample(count)
        with torch.no_grad():
            expected = module(*inputs.values()).numpy()
        (given,) = session.run([output], {name: value.numpy() for name, value in inputs.items()})
        worst = max(worst, float(np.abs(given - expected).max()))
    if worst > tolerance:
        raise ValueError(f"{path}: differs from PyTorch by {worst:.2e}, expected at most {tolerance:.0e}")
    return worst


def export(model, folder):
    """Writes and checks the three files; returns the differences from PyTorch by file name."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval()

    def sample(*names):
        def inputs(count):
            tensors = examples(count, model.sizes["embedding"])
            if "embedding" in names:
                tensors["reference"] = tensors["reference"][:, 0]
            return {name: tensors[name] for name in names}

        return inputs

    parts = {
        "audio2exp": (model, sample("mel", "reference", "ratio"), "expression"),
        "audio2exp_encoder": (model.encoder, sample("mel"), "embedding"),
        "audio2exp_head": (model.head, sample("embedding", "reference", "ratio"), "expression"),
    }
    differences = {}
    for name, (module, inputs, output) in parts.items():
        path = folder / f"{name}.onnx"
        rounded = _write(module, inputs(2), output, path)
        differences[path.name] = _check(module, inputs, output, path, _ROUNDED if rounded else _TOLERANCE)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=pathlib.Path, nargs="+")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    for name, difference in export(network.Ensemble([network.load(path) for path in arguments.models]), arguments.folder).items():
        size = (arguments.folder / name).stat().st_size
        print(f"{name}: {size / 1000:.0f} kB, differs from PyTorch by {difference:.1e}")


if __name__ == "__main__":
    main()
