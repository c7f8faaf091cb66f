"""Cumulative sums and sorted searches as products and comparisons."""

import torch

from .table import aten, decomposes

LONGEST = 128  # a triangular matrix product beats a sequential scan up to about here


@decomposes(aten.cumsum.default)
def cumsum(x, dim, dtype=None):
    dim %= x.dim()
    size = x.shape[dim]
    if size > LONGEST or not x.dtype.is_floating_point:
        return NotImplemented
    triangle = torch.ones(size, size, dtype=x.dtype).triu()
    if dim == x.dim() - 1:
        return torch.matmul(x, triangle)
    return torch.matmul(x.movedim(dim, -1), triangle).movedim(-1, dim)


@decomposes(aten.searchsorted.Tensor)
def searchsorted(sequence, values, out_int32=False, right=False, side=None, sorter=None):
    if sorter is not None:
        return NotImplemented
    right = right or side == "right"
    edges, wanted = sequence.unsqueeze(-2), values.unsqueeze(-1)
    return ((edges <= wanted) if right else (edges < wanted)).to(torch.int64).sum(-1)
