"""Sums over very many rows, for which ONNX Runtime's own operators use one thread, and slopes of activations of very many numbers."""

import torch

from .table import aten, decomposes

MANY = 1 << 14  # rows from which on it pays
PARTS = 4  # of a long product, on as many threads as there are
STEEP = 1e30


@decomposes(aten.sum.dim_IntList)
def column_sums(x, dims, keepdim=False, dtype=None):
    """A bias' gradient, as a product with ones."""
    if x.dim() != 2 or list(dims) != [0] or x.shape[0] < MANY or dtype not in (None, x.dtype):
        return NotImplemented
    total = torch.mm(torch.ones(1, x.shape[0], dtype=x.dtype), x)
    return total if keepdim else total[0]


@decomposes(aten.mm.default)
def long_product(x, y):
    """A weight's gradient, `[m,rows] @ [rows,n]` with far more rows than either: in parts that are added."""
    rows = x.shape[1]
    if rows < MANY or rows % PARTS or max(x.shape[0], y.shape[1]) ** 2 > rows or x.shape[0] == 1:
        return NotImplemented
    parts = x.t().reshape(PARTS, rows // PARTS, x.shape[0]), y.reshape(PARTS, rows // PARTS, y.shape[1])
    return torch.bmm(parts[0].transpose(1, 2), parts[1]).sum(0)


@decomposes(aten.leaky_relu_backward.default)
def leaky_relu_backward(grad, x, slope, is_result):
    """Cutting is much faster than choosing. Between zero and 1/STEEP the slope is not exact; no number of a network lies there."""
    return grad * (x * STEEP).clamp(slope, 1.0)
