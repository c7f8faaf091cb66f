"""The decomposition table and the decorator that fills it."""

import torch
from torch._decomp import core_aten_decompositions, get_decompositions

aten = torch.ops.aten

TABLE = dict(core_aten_decompositions())
TABLE.update(get_decompositions([
    aten.addmm, aten.embedding_dense_backward, aten.hardtanh_backward, aten.lerp,
    aten.linalg_vector_norm, aten.masked_fill, aten.mse_loss, aten.mse_loss_backward, aten.norm, aten.pixel_shuffle,
    aten.pixel_unshuffle, aten.sigmoid_backward, aten.softplus_backward, aten._softmax_backward_data, aten.square,
    aten.stack, aten.std, aten.tanh_backward, aten.threshold_backward, aten.var,
]))
for kept in (aten.softplus.default, aten.leaky_relu.default, aten.index_add.default):  # ONNX has these whole
    TABLE.pop(kept, None)


def decomposes(*operators):
    """Register a function as the decomposition of `operators`. It may return NotImplemented to keep the operator."""
    def register(function):
        for operator in operators:
            TABLE[operator] = function
        return function
    return register


def pair(values) -> list[int]:
    values = list(values)
    return values if len(values) == 2 else [values[0], values[0]]
