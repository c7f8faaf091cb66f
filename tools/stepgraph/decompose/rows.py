"""Sums over very many rows, for which ONNX Runtime's own operators use one thread."""

import torch

from .table import aten, decomposes

MANY = 1 << 14  # rows from which on it pays
PARTS = 4  # of a long product, on as many threads as there are


@decomposes(aten.sum.dim_IntList)
def column_sums(x, dims, keepdim=False, dtype=None):
    """A bias' gradient, as a product with ones."""
    if x.dim() != 2 or not x.is_floating_point() or dims is None or list(dims) != [0] or x.shape[0] < MANY or dtype not in (None, x.dtype):
        return NotImplemented
    total = torch.mm(torch.ones(1, x.shape[0], dtype=x.dtype), x)
    return total if keepdim else total[0]


@decomposes(aten.mm.default)
def long_product(x, y):
    """A weight's gradient, `[m,rows] @ [rows,n]` with far more rows than either: in parts that are added."""
    rows = x.shape[1]
    sums = x.shape[0] == 1  # those of `column_sums`, which read their rows once already
    if sums or rows < MANY or rows % PARTS or max(x.shape[0], y.shape[1]) ** 2 > rows:
        return NotImplemented
    parts = x.t().reshape(PARTS, rows // PARTS, x.shape[0]), y.reshape(PARTS, rows // PARTS, y.shape[1])
    return torch.bmm(parts[0].transpose(1, 2), parts[1]).sum(0)
