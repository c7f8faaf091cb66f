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


def _cells(x, grid, padding_mode, align_corners):
    """What the `g = n*oh*ow` points of a grid look up: a table `[n*cells,4c]` of the four corners of every cell, the row of each point
    `[g]`, and for both axes the share of the far corners and its slope, `[g]` each. Zeros around are a rim of zeros in the table."""
    n, _, h, w = x.shape
    rim = 0 if padding_mode == BORDER else 1
    lows, shares = [], []
    for axis, size in ((0, w), (1, h)):
        at = grid[..., axis].reshape(-1)
        scale = (size - 1) / 2 if align_corners else size / 2
        at = at * scale + (scale + rim if align_corners else scale + rim - 0.5)
        last = size - 1 + 2 * rim
        inside = ((at >= 0) & (at <= last)).to(at.dtype) * scale
        at = at.clamp(0, last)
        low = at.floor().clamp(max=last - 1)
        lows.append(low)
        shares.append((at - low, inside))
    across, down = w + 2 * rim - 1, h + 2 * rim - 1
    row = (lows[1] * across + lows[0]).to(torch.int64)
    if n > 1:
        row = row + (torch.arange(n, dtype=torch.int64) * (across * down)).reshape(n, 1).expand(n, row.shape[0] // n).reshape(-1)
    return _corner_table(F.pad(x, (rim,) * 4) if rim else x), row, shares


def _corner_table(x):
    x = x.permute(0, 2, 3, 1)
    corners = [x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, :-1], x[:, 1:, 1:]]
    return torch.cat(corners, -1).reshape(-1, 4 * x.shape[-1])


def _fold_corners(table, shape, rim):
    """The transpose of the corner table: `[n*cells,4c]` to an image of `shape`."""
    n, c, h, w = shape
    parts = table.reshape(n, h + 2 * rim - 1, w + 2 * rim - 1, 4, c).permute(0, 3, 4, 1, 2)
    places = ((0, 1, 0, 1), (1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 1, 0))
    image = sum(F.pad(parts[:, i], place) for i, place in enumerate(places))
    return image[:, :, rim : rim + h, rim : rim + w]


def _weights(x, y):
    """Bilinear weights `[g,4]` of the corners from the shares of the far ones along both axes."""
    return torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], 1)


@decomposes(aten.grid_sampler_2d.default)
def grid_sampler_2d(x, grid, mode, padding_mode, align_corners):
    if mode != 0 or padding_mode not in (ZEROS, BORDER) or min(x.shape[2:]) < 2:
        return NotImplemented
    n, oh, ow, _ = grid.shape
    table, row, ((x_share, _), (y_share, _)) = _cells(x, grid, padding_mode, align_corners)
    corners, weights = aten.index_select(table, 0, row), _weights(x_share, y_share)
    if x.shape[1] == 1:
        return (corners * weights).sum(1).reshape(n, 1, oh, ow)
    # a product of tiny matrices is much faster than broadcasting weights over channels
    found = torch.bmm(weights[:, None], corners.reshape(-1, 4, x.shape[1]))
    return found.reshape(n, oh, ow, x.shape[1]).permute(0, 3, 1, 2)


@decomposes(aten.grid_sampler_2d_backward.default)
def grid_sampler_2d_backward(grad, x, grid, mode, padding_mode, align_corners, mask):
    if mode != 0 or padding_mode not in (ZEROS, BORDER) or min(x.shape[2:]) < 2:
        return NotImplemented
    n, c, h, w = x.shape
    table, row, ((x_share, x_slope), (y_share, y_slope)) = _cells(x, grid, padding_mode, align_corners)
    gradient = grad.permute(0, 2, 3, 1).reshape(-1, c)
    to_input = to_grid = None
    if mask[0]:
        weights, each, cells = _weights(x_share, y_share), row.shape[0] // n, table.shape[0] // n
        # one table a batch element: small ones stay in the processor's cache
        tables = [_scatter(cells, row, weights, gradient, i * each, (i + 1) * each, i * cells) for i in range(n)]
        to_input = _fold_corners(torch.stack(tables), x.shape, 0 if padding_mode == BORDER else 1)
    if mask[1]:
        along = torch.bmm(aten.index_select(table, 0, row).reshape(-1, 4, c), gradient[:, :, None])[:, :, 0]
        a, b, c, d = along.unbind(1)
        to_x = ((b - a) * (1 - y_share) + (d - c) * y_share) * x_slope
        to_y = ((c - a) * (1 - x_share) + (d - b) * x_share) * y_slope
        to_grid = torch.stack([to_x, to_y], -1).reshape(grid.shape)
    return to_input, to_grid


def _scatter(cells, row, weights, gradient, start, end, base):
    """The weighted gradients of points `start` to `end` added into a table `[cells,4c]`, in pieces that ONNX Runtime adds in order."""
    c = gradient.shape[1]
    table = torch.zeros(cells, 4 * c, dtype=gradient.dtype)
    piece = max(1, SCATTER_ELEMENTS // (4 * c))
    for begin in range(start, end, piece):
        stop = min(begin + piece, end)
        updates = torch.bmm(weights[begin:stop, :, None], gradient[begin:stop, None]).reshape(-1, 4 * c)
        table = aten.index_add(table, 0, row[begin:stop] - base, updates)
    return table
