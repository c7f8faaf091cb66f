"""Views, slices, concatenation, padding, gathers and scatters."""

import math
import operator

from .builder import Builder, Value
from .walk import aten, lowers


@lowers(aten.view.default, aten._unsafe_view.default, aten.reshape.default, aten.squeeze.dims, aten.squeeze.dim,
        aten.squeeze.default, aten.unsqueeze.default)
def view(b: Builder, out: Value, x: Value, *_):
    if x.shape == out.shape:
        return x
    name, stored = b.small(x)
    if all(size == 1 for size in stored):
        stored = (1,) * len(out.shape)
        return Value(b.reshape(name, stored), out.shape, out.dtype, stored)
    if x.repeated and _without_ones(x.shape) == _without_ones(out.shape):  # repetition survives added and removed ones
        kept = iter([s for s, size in zip(stored, x.shape) if size != 1])
        stored = tuple(1 if size == 1 else next(kept) for size in out.shape)
        return Value(b.reshape(name, stored), out.shape, out.dtype, stored)
    return b.reshape(b.whole(x), out.shape)


def _without_ones(shape):
    return [size for size in shape if size != 1]


@lowers(aten.expand.default)
def expand(b, out, x, *_, **__):
    name, stored = b.small(x)
    if len(stored) < len(out.shape):
        stored = (1,) * (len(out.shape) - len(stored)) + stored
        name = b.reshape(name, stored)
    return Value(name, out.shape, out.dtype, stored)


@lowers(aten.permute.default)
def permute(b, out, x, order):
    order = [axis % len(order) for axis in order]
    name, stored = b.small(x)
    shape = tuple(stored[axis] for axis in order)
    moved = [axis for axis in order if stored[axis] != 1]
    if moved == sorted(moved):
        return Value(b.reshape(name, shape), out.shape, out.dtype, shape)
    return Value(b.transpose(name, order), out.shape, out.dtype, shape)


@lowers(aten.t.default)
def t(b, out, x):
    return permute(b, out, x, [1, 0] if len(x.shape) == 2 else [0])


@lowers(aten.transpose.int)
def transpose(b, out, x, first, second):
    order = list(range(len(x.shape)))
    order[first], order[second] = order[second], order[first]
    return permute(b, out, x, order)


@lowers(aten.slice.Tensor)
def slice_(b, out, x, dim=0, start=None, end=None, step=1):
    dim %= len(x.shape)
    name, stored = b.small(x)
    if out.shape == x.shape:
        return x
    if stored[dim] == 1:  # every element along the axis is the same one
        return Value(name, out.shape, out.dtype, stored)
    size = x.shape[dim]
    start = 0 if start is None else start + size if start < 0 else start
    end = size if end is None else end + size if end < 0 else min(end, size)
    cut = stored[:dim] + (out.shape[dim],) + stored[dim + 1:]
    return Value(b.node("Slice", [name, *(b.ints([v]) for v in (start, end, dim, step))]), out.shape, out.dtype, cut)


@lowers(aten.select.int)
def select(b, out, x, dim, index):
    dim %= len(x.shape)
    index %= x.shape[dim]
    name, stored = b.small(x)
    rest = stored[:dim] + stored[dim + 1:]
    if stored[dim] != 1:
        name = b.node("Slice", [name, *(b.ints([v]) for v in (index, index + 1, dim, 1))])
    return Value(b.reshape(name, rest), out.shape, out.dtype, rest)


@lowers(aten.cat.default)
def cat(b, out, tensors, dim=0):
    dim %= len(out.shape)
    names = [b.cast(b.whole(x), x.dtype, out.dtype) for x in tensors if len(x.shape) == len(out.shape) and x.shape[dim]]
    return names[0] if len(names) == 1 else b.node("Concat", names, axis=dim)


@lowers(aten.split_with_sizes.default)
def split_with_sizes(b, out, x, sizes, dim=0):
    if len(sizes) == 1:
        return (b.whole(x),)
    return b.node("Split", [b.whole(x), b.ints(sizes)], outputs=len(sizes), axis=dim % len(x.shape))


@lowers(operator.getitem)
def getitem(b, out, names, index):
    return names[index]


@lowers(aten.constant_pad_nd.default)
def constant_pad_nd(b, out, x, pad, value=0.0):
    rank = len(x.shape)
    before, after = [0] * rank, [0] * rank
    for i in range(len(pad) // 2):
        before[rank - 1 - i], after[rank - 1 - i] = pad[2 * i], pad[2 * i + 1]
    name = b.whole(x)
    cropped = [axis for axis in range(rank) if before[axis] < 0 or after[axis] < 0]
    if cropped:
        name = b.node("Slice", [name, b.ints(max(0, -before[a]) for a in cropped),
                                b.ints(x.shape[a] - max(0, -after[a]) for a in cropped), b.ints(cropped)])
    pads = [max(0, p) for p in before + after]
    return b.node("Pad", [name, b.ints(pads), b.scalar(value, out.dtype)], mode="constant") if any(pads) else name


@lowers(aten.flip.default)
def flip(b, out, x, dims):
    dims = [dim % len(x.shape) for dim in dims]
    return b.node("Slice", [b.whole(x), b.ints([-1] * len(dims)), b.ints([-(1 << 62)] * len(dims)), b.ints(dims),
                            b.ints([-1] * len(dims))])


@lowers(aten.repeat.default)
def repeat(b, out, x, counts):
    shape = (1,) * (len(counts) - len(x.shape)) + x.shape
    return b.node("Tile", [b.reshape(b.whole(x), shape), b.ints(counts)])


@lowers(aten.index_select.default)
def index_select(b, out, x, dim, index):
    return b.node("Gather", [b.whole(x), b.whole(index)], axis=dim % len(x.shape))


@lowers(aten.index_add.default)
def index_add(b, out, x, dim, index, source, alpha=1):
    if dim != 0 or alpha != 1:
        raise NotImplementedError("index_add along other axes than the first, or with alpha")
    rows = b.reshape(b.whole(index), (*index.shape, 1))
    return b.node("ScatterND", [b.whole(x), rows, b.whole(source)], reduction="add")


@lowers(aten.index.Tensor)
def index(b, out, x, indices):
    places = [i for i, index in enumerate(indices) if index is not None]
    if len(places) != 1:
        raise NotImplementedError("indexing by several index tensors")
    return b.node("Gather", [b.whole(x), b.whole(indices[places[0]])], axis=places[0])


@lowers(aten.index_put.default)
def index_put(b, out, x, indices, values, accumulate=False):
    places = [i for i, index in enumerate(indices) if index is not None]
    if len(places) != 1 or not accumulate:
        raise NotImplementedError("index_put with several index tensors, or without accumulating")
    axis, index = places[0], indices[places[0]]
    count = math.prod(index.shape)
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    along = b.reshape(b.whole(index), tuple(count if a == axis else 1 for a in range(len(shape))))
    # not ScatterND, whose rows ONNX Runtime adds on several threads that race
    return b.node("ScatterElements", [b.whole(x), b.node("Expand", [along, b.ints(shape)]), b.reshape(b.whole(values), shape)], axis=axis, reduction="add")


@lowers(aten.gather.default)
def gather(b, out, x, dim, index, sparse_grad=False):
    return b.node("GatherElements", [b.whole(x), b.whole(index)], axis=dim % len(x.shape))


@lowers(aten.scatter_add.default)
def scatter_add(b, out, x, dim, index, source):
    return b.node("ScatterElements", [b.whole(x), b.whole(index), b.whole(source)], axis=dim % len(x.shape), reduction="add")


@lowers(aten.sort.default, aten.sort.stable)
def sort(b, out, x, dim=-1, descending=False, stable=None):
    dim %= len(x.shape)
    return b.node("TopK", [b.whole(x), b.ints([x.shape[dim]])], outputs=2, axis=dim, largest=int(descending), sorted=1)


@lowers(aten.cumsum.default)
def cumsum(b, out, x, dim):
    return b.node("CumSum", [b.cast(b.whole(x), x.dtype, out.dtype), b.array(_axis(dim, x))])


def _axis(dim, x):
    import numpy as np

    return np.array(dim % len(x.shape), np.int64)
