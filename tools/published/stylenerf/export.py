"""Writes the roles of a generator as ONNX: standard operators of opset 20 only."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .generator import Generator
from .roles import Role, halves, identity, roles

OPSET, IR = 20, 10


def to_onnx(role: Role) -> onnx.ModelProto:
    """The model of a role. Its inputs and outputs bear the role's names, its free axes their symbols."""
    symbols = {symbol: torch.export.Dim(symbol, min=1) for axes in role.free.values() for symbol in axes.values()}
    dynamic = tuple({axis: symbols[symbol] for axis, symbol in role.free.get(name, {}).items()} or None for name in role.inputs)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            role.module.eval(), role.examples, dynamo=True, opset_version=OPSET, input_names=list(role.inputs), output_names=list(role.outputs),
            dynamic_shapes=dynamic if role.free else None, verbose=False,
        )  # fmt: skip
    model = program.model_proto
    model.ir_version = IR
    strangers = {entry.domain for entry in model.opset_import} - {"", "ai.onnx"}
    if used := strangers & {node.domain for node in model.graph.node}:
        raise ValueError(f"{', '.join(role.outputs)}: uses operators of {', '.join(sorted(used))}, expected standard ones only")
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", OPSET))
    del model.functions[:]
    for node in model.graph.node:  # what the exporter notes about the source is of no use here
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    onnx.checker.check_model(model)
    return model


def identity_model(generator: Generator, latent: torch.Tensor) -> onnx.ModelProto:
    """`identity`: w -> theta and the background's latent, which do not depend on it. `theta` is joined from single weights, which
    graphs of an inversion hold too: a pack stores them once."""
    parameters = dict(generator.synthesis.named_parameters())
    tensors = {name: p.detach().numpy() for name, p in parameters.items()} | {"whole": np.array([-1], np.int64), "latent": latent.numpy()}
    nodes = [helper.make_node("Reshape", [name, "whole"], [f"{name}.flat"]) for name in parameters]
    nodes += [
        helper.make_node("Concat", [f"{name}.flat" for name in parameters], ["theta"], axis=0),
        helper.make_node("Identity", ["latent"], ["background_latent"]),
    ]
    c = generator.configuration
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    outputs = [info(name, list(tensor.shape)) for name, tensor in identity(generator, latent).items()]
    graph = helper.make_graph(
        nodes, "identity", [info("w", [1, c.ws, c.w_dim])], outputs, [numpy_helper.from_array(x, name) for name, x in tensors.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="talkgraph")
    onnx.checker.check_model(model)
    return model


def export(generator: Generator, folder: str | Path, latent: torch.Tensor | None = None, report=None, half: bool = False) -> dict[str, str]:
    """Writes every role that the generator fills to `folder`; gives {role: file name}, with `half` also of those that compute in float16, as `ROLE.half`.

    `latent [1,background_z]` is the background of an untuned person, zero if absent. `report(role, bytes)` hears of each file.
    """
    latent = torch.zeros(1, generator.configuration.background_z) if latent is None else latent
    files = {}

    def write(role: str, model: onnx.ModelProto):
        files[role] = f"{role}.onnx"
        path = Path(folder) / files[role]
        onnx.save(model, path)
        if report:
            report(role, path.stat().st_size)

    write("identity", identity_model(generator, latent))
    whole = roles(generator, latent)
    for name, role in whole.items():
        write(name, to_onnx(role))
    for name, role in (halves(generator, whole) if half else {}).items():
        write(f"{name}.half", to_onnx(role))
    return files
