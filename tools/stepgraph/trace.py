"""A torch function over named tensors -> a functional ATen graph of static shapes."""

from functools import partial
from typing import Callable

import torch
from torch._functorch.compile_utils import fx_graph_cse
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from .decompose import TABLE
from .decompose.table import aten

Tensors = dict[str, torch.Tensor]


def trace(function: Callable[..., Tensors], example: Tensors) -> tuple[torch.fx.GraphModule, list[str], list[str]]:
    """Trace `function(**example)`; gives the graph and the names of its inputs and outputs in order.

    Autograd inside the function is traced through, mutations are removed, and operators that ONNX lacks are decomposed.
    """
    inputs, outputs = list(example), []
    separate = [tensor.clone() for tensor in example.values()]  # one tensor under two names would become one input

    def positional(*values):
        results = function(**dict(zip(inputs, values)))
        outputs[:] = results
        return tuple(results.values())

    record = partial(make_fx, tracing_mode="fake", _allow_non_fake_inputs=True)
    # in two passes: torch cannot remove mutations from under an autograd function of ours
    differentiated = record(positional)(*separate)
    for node in differentiated.graph.nodes:
        if node.target is aten.view.default:  # decompositions lay tensors out in other orders than what they stand for
            node.target = aten.reshape.default
    differentiated.recompile()
    module = record(functionalize(differentiated, remove="mutations"), decomposition_table=TABLE)(*separate)
    module.graph.eliminate_dead_code()
    module = torch.fx.GraphModule(module, fx_graph_cse(module.graph))
    module.graph.eliminate_dead_code()
    module.recompile()
    return module, inputs, list(outputs)
