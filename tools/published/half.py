"""A model that computes in float16 between inputs and outputs of float32: half as large, and faster on GPUs."""

import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with all its numbers in float16, but for the sizes and scales of `Resize`, which ONNX wants in float32."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    kept = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:]}
    for tensor in graph.initializer:
        if tensor.name not in kept:
            _halve(tensor)
    for node in graph.node:
        if node.op_type == "Cast" and node.attribute[0].i == FLOAT:
            node.attribute[0].i = HALF
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and not kept.intersection(node.output):
                _halve(attribute.t)
    inner = {port.name: f"{port.name}_half" for port in [*graph.input, *graph.output] if port.type.tensor_type.elem_type == FLOAT}
    for node in graph.node:
        node.input[:] = [inner.get(name, name) for name in node.input]
        node.output[:] = [inner.get(name, name) for name in node.output]
    body = list(graph.node)
    before = [helper.make_node("Cast", [port.name], [inner[port.name]], to=HALF) for port in graph.input if port.name in inner]
    after = [helper.make_node("Cast", [inner[port.name]], [port.name], to=FLOAT) for port in graph.output if port.name in inner]
    del graph.node[:], graph.value_info[:]  # the types noted there are no longer true
    graph.node.extend([*before, *body, *after])
    return model


def _halve(tensor):
    if tensor.data_type == FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float16"), tensor.name))
