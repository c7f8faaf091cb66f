"""Matrix products, convolutions, pooling and sampling in volumes."""

from .builder import Builder, Value
from .elementwise import elementwise
from .walk import aten, lowers


@lowers(aten.mm.default)
def mm(b: Builder, out: Value, x: Value, y: Value):
    left, right = b.whole(x), b.whole(y)
    if source := b.transposed(right):
        return b.node("Gemm", [left, source], transB=1)
    return b.node("MatMul", [left, right])


@lowers(aten.bmm.default)
def bmm(b, out, x, y):
    names = []
    for operand, other in ((x, y), (y, x)):
        name, stored = b.small(operand)
        # a repeated batch stays one matrix, unless both are: the result needs its batch dimension
        whole_batch = operand.stored[0] == operand.shape[0] or other.stored[0] != other.shape[0]
        names.append(name if stored[1:] == operand.shape[1:] and (not whole_batch or not operand.repeated) else b.whole(operand))
    return b.node("MatMul", names)


@lowers(aten.addmm.default)
def addmm(b, out, bias, x, y, beta=1, alpha=1):
    if beta != 1 or alpha != 1:
        raise NotImplementedError("addmm with alpha or beta")
    return elementwise(b, out, "Add", (Value(mm(b, out, x, y), out.shape, out.dtype), bias))


def _pair(values):
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    return values * (2 // len(values))


@lowers(aten.convolution.default)
def convolution(b, out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    inputs = [b.whole(x), b.whole(weight)] + ([] if bias is None else [b.whole(bias)])
    attributes = dict(strides=_pair(stride), pads=_pair(padding) * 2, dilations=_pair(dilation), group=groups,
                      kernel_shape=list(weight.shape[2:]))
    if transposed:
        return b.node("ConvTranspose", inputs, output_padding=_pair(output_padding), **attributes)
    return b.node("Conv", inputs, **attributes)


@lowers(aten.max_pool2d_with_indices.default)
def max_pool2d(b, out, x, kernel, stride=(), padding=(0,), dilation=(1,), ceil_mode=False):
    kernel = _pair(kernel)
    pooled = b.node("MaxPool", [b.whole(x)], kernel_shape=kernel, strides=_pair(stride) if stride else kernel,
                    pads=_pair(padding) * 2, dilations=_pair(dilation), ceil_mode=int(ceil_mode))
    return pooled, ""  # the indices must stay unused: backward passes through max pooling are not supported


@lowers(aten.grid_sampler_3d.default)
def grid_sampler_3d(b, out, x, grid, mode, padding_mode, align_corners):
    return b.node("GridSample", [b.whole(x), b.whole(grid)], mode=("linear", "nearest")[mode],
                  padding_mode=("zeros", "border", "reflection")[padding_mode], align_corners=int(align_corners))
