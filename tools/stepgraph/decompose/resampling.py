"""Resampling: separable interpolation as fixed matrices, pooling as reshapes, grid sampling as row gathers."""

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import _disable_current_modes

from .table import aten, decomposes, pair

# ONNX Runtime adds the rows of one ScatterND in parallel, and rows for the same place then race. It stays on one thread
# below about 200,000 elements of work (its cost model), so larger scatters are cut into pieces of at most this size.
SCATTER_ELEMENTS = 190_000


ZEROS, BORDER = 0, 1  # padding modes of grid sampling


def _matrix(size_in: int, size_out: int, mode: str, align_corners: bool) -> torch.Tensor:
    """The `[out,in]` matrix of a one-dimensional interpolation: torch's own, applied to the identity."""
    with _disable_current_modes():
        unit = torch.eye(size_in).reshape(1, size_in, size_in, 1)
        return F.interpolate(unit, size=(size_out, 1), mode=mode, align_corners=align_corners).reshape(size_in, size_out).t().contiguous()


def _separable(x, rows, columns):
    return torch.matmul(rows, torch.matmul(x, columns.t()))


def _interpolations(forward, backward, mode):
    @decomposes(forward)
    def interpolate(x, size, align_corners, *scales):
        return _separable(x, *(_matrix(x.shape[2 + i], size[i], mode, align_corners) for i in range(2)))

    @decomposes(backward)
    def interpolate_backward(grad, size, input_size, align_corners, *scales):
        return _separable(grad, *(_matrix(input_size[2 + i], size[i], mode, align_corners).t() for i in range(2)))


_interpolations(aten.upsample_bilinear2d.default, aten.upsample_bilinear2d_backward.default, "bilinear")
_interpolations(aten.upsample_bicubic2d.default, aten.upsample_bicubic2d_backward.default, "bicubic")


@decomposes(aten.upsample_nearest2d.default)
def upsample_nearest2d(x, size, *scales):
    n, c, h, w = x.shape
    if size[0] % h or size[1] % w:
        return NotImplemented
    return x.reshape(n, c, h, 1, w, 1).expand(n, c, h, size[0] // h, w, size[1] // w).reshape(n, c, *size)


@decomposes(aten.upsample_nearest2d_backward.default)
def upsample_nearest2d_backward(grad, size, input_size, *scales):
    n, c, h, w = input_size
    if size[0] % h or size[1] % w:
        return NotImplemented
    return grad.reshape(n, c, h, size[0] // h, w, size[1] // w).sum([3, 5])


@decomposes(aten.avg_pool2d.default)
def avg_pool2d(x, kernel, stride=(), padding=0, *rest):
    kernel = pair(kernel)
    n, c, h, w = x.shape
    if (stride and pair(stride) != kernel) or padding not in (0, [0], [0, 0]) or h % kernel[0] or w % kernel[1]:
        return NotImplemented
    return x.reshape(n, c, h // kernel[0], kernel[0], w // kernel[1], kernel[1]).mean([3, 5])


@decomposes(aten.avg_pool2d_backward.default)
def avg_pool2d_backward(grad, x, kernel, *rest):
    return aten._adaptive_avg_pool2d_backward(grad, x)


@decomposes(aten._adaptive_avg_pool2d.default)
def adaptive_avg_pool2d(x, size):
    n, c, h, w = x.shape
    if h % size[0] or w % size[1]:
        return NotImplemented
    return x.reshape(n, c, size[0], h // size[0], size[1], w // size[1]).mean([3, 5])


@decomposes(aten._adaptive_avg_pool2d_backward.default)
def adaptive_avg_pool2d_backward(grad, x):
    n, c, h, w = x.shape
    oh, ow = grad.shape[2:]
    if h % oh or w % ow:
        return NotImplemented
    each = grad / float((h // oh) * (w // ow))
    return each.reshape(n, c, oh, 1, ow, 1).expand(n, c, oh, h // oh, ow, w // ow).reshape(n, c, h, w)


def _corners(shape, grid, padding_mode, align_corners):
    """The four corners around each grid point, `g = n*oh*ow` points: rows `[g,4]` of a table `[n*h*w,c]`, bilinear weights `[g,4]`
    and the slopes of the weights along x and y."""
    n, _, h, w = shape
    parts = []
    for axis, size in ((0, w), (1, h)):
        at = grid[..., axis].reshape(-1)
        scale = (size - 1) / 2 if align_corners else size / 2
        at = (at + 1) * scale - (0.0 if align_corners else 0.5)
        if padding_mode == BORDER:
            slope = ((at >= 0) & (at <= size - 1)).to(at.dtype) * scale
            at = at.clamp(0, size - 1)
        else:
            slope = torch.ones_like(at) * scale
        low = at.floor()
        fraction = at - low
        places, weights = torch.stack([low, low + 1], 1), torch.stack([1 - fraction, fraction], 1)
        if padding_mode != BORDER:
            weights = weights * ((places >= 0) & (places <= size - 1)).to(at.dtype)
        slopes = torch.stack([-slope, slope], 1)
        if padding_mode != BORDER:
            slopes = slopes * ((places >= 0) & (places <= size - 1)).to(at.dtype)
        parts.append((places.clamp(0, size - 1), weights, slopes))
    (x, wx, sx), (y, wy, sy) = parts
    batch = (torch.arange(n, dtype=torch.int64) * (h * w)).reshape(n, 1).expand(n, x.shape[0] // n).reshape(-1, 1)
    rows = (y[:, :, None] * w + x[:, None, :]).reshape(-1, 4).to(torch.int64) + batch
    corner = lambda down, across: (down[:, :, None] * across[:, None, :]).reshape(-1, 4)
    return rows, corner(wy, wx), (corner(wy, sx), corner(sy, wx))


def _rows(x):
    n, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n * h * w, c)


@decomposes(aten.grid_sampler_2d.default)
def grid_sampler_2d(x, grid, mode, padding_mode, align_corners):
    if mode != 0 or padding_mode not in (ZEROS, BORDER):
        return NotImplemented
    n, oh, ow, _ = grid.shape
    rows, weights, _ = _corners(x.shape, grid, padding_mode, align_corners)
    corners = aten.index_select(_rows(x), 0, rows.reshape(-1)).reshape(-1, 4, x.shape[1])
    # a product of tiny matrices is much faster than broadcasting weights over channels
    return torch.bmm(weights[:, None], corners).reshape(n, oh, ow, x.shape[1]).permute(0, 3, 1, 2)


@decomposes(aten.grid_sampler_2d_backward.default)
def grid_sampler_2d_backward(grad, x, grid, mode, padding_mode, align_corners, mask):
    if mode != 0 or padding_mode not in (ZEROS, BORDER):
        return NotImplemented
    n, c, h, w = x.shape
    rows, weights, slopes = _corners(x.shape, grid, padding_mode, align_corners)
    gradient = _rows(grad)
    to_input = to_grid = None
    if mask[0]:
        updates, rows_ = torch.bmm(weights[:, :, None], gradient[:, None]).reshape(-1, c), rows.reshape(-1)
        each = rows_.shape[0] // n  # one table a batch element: small ones stay in the processor's cache
        tables = [scatter_rows(torch.zeros(h * w, c, dtype=x.dtype), rows_, updates, i * each, (i + 1) * each, i * h * w) for i in range(n)]
        to_input = torch.stack(tables).reshape(n, h, w, c).permute(0, 3, 1, 2)
    if mask[1]:
        corners = aten.index_select(_rows(x), 0, rows.reshape(-1)).reshape(-1, 4, c)
        along = torch.bmm(corners, gradient[:, :, None])[:, :, 0]
        to_grid = torch.stack([(along * slope).sum(1) for slope in slopes], -1).reshape(grid.shape)
    return to_input, to_grid


def scatter_rows(table, rows, updates, start, end, base):
    """Add `updates [k,c]` from `start` to `end` to the rows `rows [k] - base` of `table`, in pieces that ONNX Runtime adds in order."""
    piece = max(1, SCATTER_ELEMENTS // updates.shape[1])
    for begin in range(start, end, piece):
        stop = min(begin + piece, end)
        table = aten.index_add(table, 0, rows[begin:stop] - base, updates[begin:stop])
    return table
