"""Resampling: separable interpolation as fixed matrices, pooling as reshapes, grid sampling as row gathers."""

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import _disable_current_modes

from .table import aten, decomposes, pair

# ONNX Runtime adds the rows of one ScatterND in parallel, and rows for the same place then race. It stays on one thread
# below about 200,000 elements of work (its cost model), so larger scatters are cut into pieces of at most this size.
SCATTER_ELEMENTS = 160_000


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
    """Row numbers into `[n*h*w]`, bilinear weights and their slopes for the four corners around each grid point."""
    n, _, h, w = shape
    parts = []
    for axis, size in ((0, w), (1, h)):
        at = grid[..., axis]
        slope = (size - 1) / 2 if align_corners else size / 2
        at = (at + 1) * slope - (0.0 if align_corners else 0.5)
        if padding_mode == 1:  # border
            inside = ((at >= 0) & (at <= size - 1)).to(at.dtype) * slope
            at = at.clamp(0, size - 1)
        else:
            inside = torch.ones_like(at) * slope
        low = at.floor()
        parts.append((low, at - low, inside, size))
    (x0, fx, sx, _), (y0, fy, sy, _) = parts
    batch = torch.arange(n, dtype=torch.int64).reshape(n, 1, 1) * (h * w)
    for dy in (0, 1):
        for dx in (0, 1):
            x, y = x0 + dx, y0 + dy
            wx, wy = (fx if dx else 1 - fx), (fy if dy else 1 - fy)
            if padding_mode == 0:
                valid = ((x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1)).to(grid.dtype)
            else:
                valid = None
            row = batch + y.clamp(0, h - 1).to(torch.int64) * w + x.clamp(0, w - 1).to(torch.int64)
            slopes = (wy * (sx if dx else -sx), wx * (sy if dy else -sy))
            weight = wx * wy
            if valid is not None:
                weight, slopes = weight * valid, (slopes[0] * valid, slopes[1] * valid)
            yield row.reshape(-1), weight.reshape(-1, 1), slopes


def _rows(x):
    n, c, h, w = x.shape
    return x.permute(0, 2, 3, 1).reshape(n * h * w, c)


@decomposes(aten.grid_sampler_2d.default)
def grid_sampler_2d(x, grid, mode, padding_mode, align_corners):
    if mode != 0 or padding_mode not in (0, 1):
        return NotImplemented
    table, total = _rows(x), None
    for row, weight, _ in _corners(x.shape, grid, padding_mode, align_corners):
        part = aten.index_select(table, 0, row) * weight
        total = part if total is None else total + part
    n, oh, ow, _ = grid.shape
    return total.reshape(n, oh, ow, x.shape[1]).permute(0, 3, 1, 2)


@decomposes(aten.grid_sampler_2d_backward.default)
def grid_sampler_2d_backward(grad, x, grid, mode, padding_mode, align_corners, mask):
    if mode != 0 or padding_mode not in (0, 1):
        return NotImplemented
    n, c, h, w = x.shape
    table, rows_of_grad = _rows(x), _rows(grad)
    to_input = torch.zeros(n * h * w, c, dtype=x.dtype) if mask[0] else None
    to_grid = None
    for row, weight, slopes in _corners(x.shape, grid, padding_mode, align_corners):
        if mask[0]:
            to_input = scatter_rows(to_input, row, rows_of_grad * weight)
        if mask[1]:
            along = (aten.index_select(table, 0, row) * rows_of_grad).sum(1).reshape(slopes[0].shape)
            part = torch.stack([along * slopes[0], along * slopes[1]], -1)
            to_grid = part if to_grid is None else to_grid + part
    if mask[0]:
        to_input = to_input.reshape(n, h, w, c).permute(0, 3, 1, 2)
    return to_input, to_grid


def scatter_rows(table, rows, updates):
    """Add `updates [k,c]` to the rows `rows [k]` of `table [r,c]`, in pieces that ONNX Runtime adds deterministically."""
    piece = max(1, SCATTER_ELEMENTS // updates.shape[1])
    for start in range(0, updates.shape[0], piece):
        end = min(start + piece, updates.shape[0])
        table = aten.index_add(table, 0, rows[start:end], updates[start:end])
    return table
