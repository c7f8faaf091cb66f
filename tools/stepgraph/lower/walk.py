"""The walk over an ATen graph: folds what is constant, lowers the rest operator by operator."""

import onnx
import torch
from onnx import helper

from .builder import DOMAIN_VERSION, IR_VERSION, OPSET, TYPES, Builder, Value, uniform

aten = torch.ops.aten
SMALL = 1024  # elements of a constant that is folded without asking

LOWERINGS: dict = {}  # operator -> function(builder, out, *arguments); `out` is a Value without a name, the result's form
FROM_SHAPE = {aten.full_like.default, aten.zeros_like.default, aten.ones_like.default, aten.new_zeros.default,
              aten.new_full.default, aten.new_ones.default}  # constant whatever their input holds


def lowers(*operators):
    """Register the lowering of ATen operators. It returns a name, a Value, or a tuple of names for several outputs."""
    def register(function):
        for operator in operators:
            LOWERINGS[operator] = function
        return function
    return register


def lower(module: torch.fx.GraphModule, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    """Lower a traced graph whose inputs and outputs carry the given names. Inputs that nothing reads are dropped."""
    builder, values = Builder(), {}
    names = iter(inputs)
    declared = []
    for node in module.graph.nodes:
        if node.op == "placeholder":
            values[node] = Value(next(names), *_form(node))
            declared.append(values[node])
        elif node.op == "get_attr":
            constant = getattr(module, node.target).detach()
            values[node] = Value(None, constant.shape, constant.dtype, constant=constant)
        elif node.op == "call_function":
            values[node] = _call(builder, node, values)
        elif node.op == "output":
            results = [values[result] for result in node.args[0]]
    for name, result in zip(outputs, results):
        builder.nodes.append(helper.make_node("Identity", [builder.whole(result)], [name]))
    return _model(builder, declared, [Value(n, r.shape, r.dtype) for n, r in zip(outputs, results)])


def _form(node) -> tuple[tuple[int, ...], torch.dtype]:
    value = node.meta["val"]
    return tuple(int(size) for size in value.shape), value.dtype


def _call(builder: Builder, node, values):
    if node.target in FROM_SHAPE:
        return _fold(node, values)
    inputs = [values[a] for a in node.all_input_nodes]
    if all(isinstance(value, Value) and value.constant is not None for value in inputs):
        folded = _fold(node, values)
        if isinstance(folded, list):
            return folded
        if node.target not in LOWERINGS or not inputs or _is_smaller(folded, inputs):
            return folded
    if node.target not in LOWERINGS:
        forms = [_form(a) for a in node.all_input_nodes if "val" in a.meta and hasattr(a.meta["val"], "shape")]
        raise NotImplementedError(f"{node.target} has no lowering: {node.format_node()}, inputs {forms}")
    several = isinstance(node.meta.get("val"), (tuple, list))
    out = [Value(None, tuple(v.shape), v.dtype) for v in node.meta["val"]] if several else Value(None, *_form(node))
    arguments = torch.fx.node.map_arg(node.args, lambda a: values[a])
    keywords = torch.fx.node.map_arg(node.kwargs, lambda a: values[a])
    keywords = {k: v for k, v in keywords.items() if k not in ("device", "layout", "pin_memory", "dtype", "memory_format")}
    result = LOWERINGS[node.target](builder, out, *arguments, **keywords)
    if isinstance(result, str):
        out.name = result
        return out
    return result


def _is_smaller(folded: Value, inputs: list[Value]) -> bool:
    """Whether a file is better off with a folded constant than with what it is made of. (ONNX Runtime folds the rest on loading.)"""
    size = lambda constant: 1 if uniform(constant) else constant.numel()
    return folded.constant.numel() <= SMALL or size(folded.constant) < sum(size(value.constant) for value in inputs)


def _fold(node, values):
    def concrete(argument):
        value = values[argument]
        return value.constant if value.constant is not None else torch.empty(value.shape, dtype=value.dtype, device="meta")

    arguments = torch.fx.node.map_arg(node.args, concrete)
    keywords = dict(torch.fx.node.map_arg(node.kwargs, concrete))
    if node.target in FROM_SHAPE:
        keywords["device"] = "cpu"
    with torch.no_grad():
        found = node.target(*arguments, **keywords)
    constant = lambda tensor: Value(None, tensor.shape, tensor.dtype, constant=tensor)
    return [constant(tensor) for tensor in found] if isinstance(found, (tuple, list)) else constant(found)


def _model(builder: Builder, inputs: list[Value], outputs: list[Value]) -> onnx.ModelProto:
    wanted, read, kept = {value.name for value in outputs}, set(), []
    for node in reversed(builder.nodes):
        if any(name in wanted or name in read for name in node.output):
            kept.append(node)
            read.update(node.input)
    if both := wanted & read:
        raise ValueError(f"{sorted(both)}: an output bears the name of an input that the graph reads")
    info = lambda v: helper.make_tensor_value_info(v.name, TYPES[v.dtype], v.shape)
    graph = helper.make_graph(kept[::-1], "graph", [info(v) for v in inputs if v.name in read], [info(v) for v in outputs],
                              [tensor for name, tensor in builder.initialisers.items() if name in read])
    functions = [builder.functions[key] for key in sorted(_called(kept, builder.functions))]
    domains = [helper.make_opsetid(domain, DOMAIN_VERSION) for domain in sorted({function.domain for function in functions})]
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), *domains], functions=functions, ir_version=IR_VERSION,
                             producer_name="talkgraph")


def _called(nodes, functions) -> set[tuple[str, str]]:
    """The keys of those functions that nodes call, or that the bodies of such functions do."""
    keys = {(n.domain, n.op_type) for n in nodes} & functions.keys()
    return keys.union(*(_called(functions[key].node, functions) for key in keys))
