"""A torch function over named tensors -> a functional ATen graph of static shapes."""

from typing import Callable

import torch
from torch._functorch.compile_utils import fx_graph_cse
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx

from .decompose import TABLE

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

    traced = make_fx(functionalize(positional, remove="mutations"), decomposition_table=TABLE, tracing_mode="fake",
                     _allow_non_fake_inputs=True)
    module = traced(*separate)
    module.graph.eliminate_dead_code()
    module = torch.fx.GraphModule(module, fx_graph_cse(module.graph))
    module.graph.eliminate_dead_code()
    module.recompile()
    return module, inputs, list(outputs)
