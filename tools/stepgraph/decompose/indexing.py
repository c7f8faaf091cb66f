"""Slices, views and padding, forward and backward, as Pad, Slice and Concat."""

import torch

from .table import aten, decomposes


@decomposes(aten.slice_backward.default)
def slice_backward(grad, sizes, dim, start, end, step):
    dim %= len(sizes)
    size = sizes[dim]
    start = max(0, start + size if start < 0 else start)
    after = [0, 0] * (len(sizes) - 1 - dim)
    if step > 1:
        grad = aten.constant_pad_nd(grad.unsqueeze(dim + 1), after + [0, step - 1], 0.0).flatten(dim, dim + 1)
    rest = size - start - grad.shape[dim]
    return aten.constant_pad_nd(grad, after + [start, rest], 0.0) if start or rest else grad


@decomposes(aten.select_backward.default)
def select_backward(grad, sizes, dim, index):
    dim %= len(sizes)
    index %= sizes[dim]
    return aten.constant_pad_nd(grad.unsqueeze(dim), [0, 0] * (len(sizes) - 1 - dim) + [index, sizes[dim] - 1 - index], 0.0)


@decomposes(aten.index_put.default)
def index_put(x, indices, values, accumulate=False):
    """The backward pass of indexing by one tensor: rows are added."""
    places = [i for i, index in enumerate(indices) if index is not None]
    if not accumulate or len(places) != 1 or indices[places[0]].dim() != 1:
        return NotImplemented
    place = places[0]
    rows = values.movedim(place, 0)
    table = x.movedim(place, 0)
    added = aten.index_add(table.reshape(table.shape[0], -1), 0, indices[place], rows.reshape(rows.shape[0], -1))
    return added.reshape(table.shape).movedim(0, place)


@decomposes(aten.slice_scatter.default)
def slice_scatter(x, source, dim=0, start=None, end=None, step=1):
    if step != 1:
        return NotImplemented
    size = x.shape[dim]
    start = 0 if start is None else (start + size if start < 0 else min(start, size))
    end = size if end is None else (end + size if end < 0 else min(end, size))
    parts = [x.narrow(dim, 0, start)] if start else []
    parts.append(source)
    if end < size:
        parts.append(x.narrow(dim, end, size - end))
    return torch.cat(parts, dim)


@decomposes(aten.select_scatter.default)
def select_scatter(x, source, dim, index):
    index %= x.shape[dim]
    return slice_scatter(x, source.unsqueeze(dim), dim, index, index + 1)


@decomposes(aten.replication_pad2d.default)
def replication_pad2d(x, padding):
    left, right, top, bottom = padding
    return _repeat_edges(_repeat_edges(x, 3, left, right), 2, top, bottom)


def _repeat_edges(x, dim, before, after):
    size = x.shape[dim]
    parts = [x.narrow(dim, 0, 1)] * before + [x] + [x.narrow(dim, size - 1, 1)] * after
    return torch.cat(parts, dim) if len(parts) > 1 else x


@decomposes(aten.replication_pad2d_backward.default)
def replication_pad2d_backward(grad, x, padding):
    left, right, top, bottom = padding
    return _fold_edges(_fold_edges(grad, 2, top, bottom), 3, left, right)


def _fold_edges(grad, dim, before, after):
    """The gradient of repeated edges goes to the first and the last element."""
    size = grad.shape[dim] - before - after
    inner = grad.narrow(dim, before, size)
    if before:
        first = inner.narrow(dim, 0, 1) + grad.narrow(dim, 0, before).sum(dim, keepdim=True)
        inner = torch.cat([first, inner.narrow(dim, 1, size - 1)], dim)
    if after:
        last = inner.narrow(dim, size - 1, 1) + grad.narrow(dim, before + size, after).sum(dim, keepdim=True)
        inner = torch.cat([inner.narrow(dim, 0, size - 1), last], dim)
    return inner


def _contiguous_strides(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return strides[::-1]


@decomposes(aten.as_strided.default)
def as_strided(x, size, stride, offset=0):
    """The whole tensor under another shape, or a box cut out of it; other views stay."""
    dense = all(n == 1 or a == b for n, a, b in zip(size, stride, _contiguous_strides(size)))
    if dense and not offset and torch.Size(size).numel() == x.numel():
        return x.reshape(size)
    if len(size) != x.dim():
        return NotImplemented
    offset, starts = offset or 0, []
    for whole, n, step, unit in zip(x.shape, size, stride, _contiguous_strides(x.shape)):
        start, offset = divmod(offset, unit)
        if (n > 1 and step != unit) or start + n > whole:
            return NotImplemented
        starts.append(start)
    if offset:
        return NotImplemented
    for dim, (start, n) in enumerate(zip(starts, size)):
        x = x.narrow(dim, start, n)
    return x
