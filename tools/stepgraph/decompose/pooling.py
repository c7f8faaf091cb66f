"""Max pooling's backward pass: every output's gradient goes to the first of the inputs that hold the maximum."""

import torch

from .table import aten, decomposes, pair


@decomposes(aten.max_pool2d_with_indices_backward.default)
def max_pool2d_backward(grad, x, kernel, stride, padding, dilation, ceil_mode, indices):
    """The maxima are looked for again, tap by tap, for `indices` have no place in ONNX Runtime's fast pooling.

    Taps of one remainder by the stride lie on one grid of inputs; the grids are put together at the end.
    """
    (kh, kw), (sh, sw) = pair(kernel), pair(stride or kernel)
    if pair(padding) != [0, 0] or pair(dilation) != [1, 1] or ceil_mode:
        return NotImplemented
    n, c, h, w = x.shape
    oh, ow = grad.shape[2:]
    pooled = aten.max_pool2d_with_indices(x, [kh, kw], [sh, sw])[0]
    down, across = (oh + (kh - 1) // sh, ow + (kw - 1) // sw)  # of a grid
    grids, free = {}, None
    for top in range(kh):
        for left in range(kw):
            seen = x[:, :, top : top + (oh - 1) * sh + 1 : sh, left : left + (ow - 1) * sw + 1 : sw]
            here = (seen == pooled).to(grad.dtype)
            first = here if free is None else here * free
            free = 1.0 - here if free is None else free * (1.0 - here)
            row, column = top // sh, left // sw
            place = [column, across - ow - column, row, down - oh - row]
            part = aten.constant_pad_nd(grad * first, place, 0.0)
            key = top % sh, left % sw
            grids[key] = grids[key] + part if key in grids else part
    empty = torch.zeros(n, c, down, across, dtype=grad.dtype)
    rows = [torch.stack([grids.get((i, j), empty) for j in range(sw)], 4) for i in range(sh)]
    image = torch.stack(rows, 3).reshape(n, c, down * sh, across * sw)[:, :, :h, :w]
    return aten.constant_pad_nd(image, [0, w - image.shape[3], 0, h - image.shape[2]], 0.0)
