"""Export of a torch function over named tensors to one ONNX file."""

from pathlib import Path
from typing import Callable

import onnx
import torch

from .lower import lower
from .trace import Tensors, trace


def export(function: Callable[..., Tensors], example: Tensors, path: str | Path) -> onnx.ModelProto:
    """Write `function(**tensors) -> tensors` to `path`, for the static shapes and types of `example`.

    The model's inputs are those tensors of `example` that the function reads, its outputs the ones it returns.
    """
    with torch.no_grad():
        module, inputs, outputs = trace(function, example)
        model = lower(module, inputs, outputs)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return model
