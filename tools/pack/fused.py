"""Models whose heart is one operator of the domain `talkgraph`, with its plain body as a function of the same name.

A host that has the operator runs its kernel (the Rust program, on the CPU); any other runs the body.
"""

from onnx import helper

from ..stepgraph.lower.builder import DOMAIN_VERSION as VERSION

DOMAIN = "talkgraph"


def function(model, name, attributes):
    """The graph of `model` as the body of the operator `name`, its constants among the nodes."""
    graph = model.graph
    constants = [helper.make_node("Constant", [], [i.name], value=i) for i in graph.initializer]
    inputs, outputs = [i.name for i in graph.input], [o.name for o in graph.output]
    return helper.make_function(DOMAIN, name, inputs, outputs, constants + list(graph.node), list(model.opset_import), list(attributes))


def fuse(model, name, attributes):
    """The graph of `model` as a call of the operator `name`, its nodes and constants as the operator's body."""
    graph, body = model.graph, function(model, name, attributes)
    call = helper.make_node(name, list(body.input), list(body.output), name=name, domain=DOMAIN, **attributes)
    whole = helper.make_graph([call], name, list(graph.input), list(graph.output))
    opsets = [*model.opset_import, helper.make_opsetid(DOMAIN, VERSION)]
    return helper.make_model(whole, opset_imports=opsets, functions=[body], ir_version=model.ir_version)


def give(model, body):
    """Gives a `model` that calls an operator the `body` of it."""
    model.functions.append(body)
    if DOMAIN not in {opset.domain for opset in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(DOMAIN, VERSION))
    return model
