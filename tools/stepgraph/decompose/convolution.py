"""Convolutions: grouped 1x1 ones as matrix products, and the backward pass of all of them."""

import torch

from .table import aten, decomposes, pair


def _pointwise(x, weight, groups):
    """A 1x1 convolution, `x [n,c,h,w]`, `weight [o,c/groups,1,1]`, as one (batched) matrix product."""
    n, channels, height, width = x.shape
    out = weight.shape[0]
    product = torch.matmul(weight.reshape(1, groups, out // groups, channels // groups),
                           x.reshape(n, groups, channels // groups, height * width))
    return product.reshape(n, out, height, width)


def _is_pointwise(weight, stride, padding):
    return tuple(weight.shape[2:]) == (1, 1) and stride == [1, 1] and padding == [0, 0]


@decomposes(aten.convolution.default)
def convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    plain = x.dim() == 4 and not transposed and _is_pointwise(weight, pair(stride), pair(padding))
    if not plain or groups == 1 or weight.shape[1] == 1:
        return NotImplemented
    y = _pointwise(x, weight, groups)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


@decomposes(aten.convolution_backward.default)
def convolution_backward(grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, mask):
    if x.dim() != 4:
        return NotImplemented
    stride, padding, dilation = pair(stride), pair(padding), pair(dilation)
    to_input = to_weight = None
    if transposed:  # the roles of input and output are exchanged
        if mask[0]:
            to_input = aten.convolution(grad, weight, None, stride, padding, dilation, False, [0, 0], groups)
        if mask[1]:
            to_weight = _weight_gradient(grad, x, weight.shape, stride, padding, dilation, groups)
    else:
        if mask[0]:
            to_input = _input_gradient(grad, x.shape, weight, stride, padding, dilation, groups)
        if mask[1]:
            to_weight = _weight_gradient(x, grad, weight.shape, stride, padding, dilation, groups)
    to_bias = grad.sum([0, 2, 3]) if mask[2] else None
    return to_input, to_weight, to_bias


def _input_gradient(grad, shape, weight, stride, padding, dilation, groups):
    out, per_group, kh, kw = weight.shape
    swapped = weight.reshape(groups, out // groups, per_group, kh, kw).transpose(1, 2)
    swapped = swapped.reshape(groups * per_group, out // groups, kh, kw)
    if _is_pointwise(weight, stride, padding):
        if groups > 1:
            return _pointwise(grad, swapped, groups)
        return aten.convolution(grad, swapped, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    # rows and columns at the far end that the window never reached
    rest = [shape[2 + i] + 2 * padding[i] - dilation[i] * (weight.shape[2 + i] - 1) - 1 - (grad.shape[2 + i] - 1) * stride[i]
            for i in range(2)]
    if stride != [1, 1]:  # a true transposed convolution: zero insertion and Conv would cost stride^2 times the work
        return aten.convolution(grad, weight, None, stride, padding, dilation, True, rest, groups)
    pad = [dilation[i] * (weight.shape[2 + i] - 1) - padding[i] for i in range(2)]
    if any(rest) or min(pad) < 0:
        grad = aten.constant_pad_nd(grad, [pad[1], pad[1] + rest[1], pad[0], pad[0] + rest[0]], 0.0)
        pad = [0, 0]
    return aten.convolution(grad, swapped.flip([2, 3]), None, [1, 1], pad, dilation, False, [0, 0], groups)


def _weight_gradient(x, grad, shape, stride, padding, dilation, groups):
    """The product of the output's gradient and the input as each tap of the kernel sees it, all taps beside each other."""
    n, channels = x.shape[:2]
    oh, ow = grad.shape[2:]
    kh, kw = shape[2:]
    if padding != [0, 0]:
        x = aten.constant_pad_nd(x, [padding[1], padding[1], padding[0], padding[0]], 0.0)
    rows = grad.reshape(n, groups, grad.shape[1] // groups, oh * ow)
    taps = []
    for top in range(0, kh * dilation[0], dilation[0]):
        for left in range(0, kw * dilation[1], dilation[1]):
            seen = x[:, :, top:top + (oh - 1) * stride[0] + 1:stride[0], left:left + (ow - 1) * stride[1] + 1:stride[1]]
            taps.append(seen.reshape(n, groups, channels // groups, oh * ow))
    seen = torch.cat(taps, 2)
    if n == groups == 1:  # two factors of two axes: the transposed one is read as it lies
        product = torch.mm(rows[0, 0], seen[0, 0].t())
    else:
        product = torch.matmul(rows, seen.transpose(2, 3)).sum(0)
    return product.reshape(shape[0], kh * kw, shape[1]).transpose(1, 2).reshape(shape)
