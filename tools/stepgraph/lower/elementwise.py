"""Arithmetic, comparisons, functions of one number, reductions and casts."""

import torch

from .builder import Builder, Value, uniform
from .walk import aten, lowers


def elementwise(b: Builder, out: Value, op: str, operands, dtype=None) -> Value:
    """A broadcasting operator over values and Python numbers; operands stay as small as they are stored."""
    dtype = dtype or out.dtype
    names, shapes = [], []
    for operand in operands:
        if isinstance(operand, Value):
            name, stored = b.small(operand)
            names.append(b.cast(name, operand.dtype, dtype))
            shapes.append(stored)
        else:
            names.append(b.scalar(operand, dtype))
            shapes.append(())
    stored = torch.broadcast_shapes(*shapes)
    stored = (1,) * (len(out.shape) - len(stored)) + tuple(stored)
    name = b.node(op, names)
    if max((len(shape) for shape in shapes), default=0) < len(out.shape):
        name = b.reshape(name, stored)
    return Value(name, out.shape, out.dtype, stored)


def number(operand):
    """The single number that a constant operand consists of, or None."""
    if not isinstance(operand, Value):
        return float(operand)
    if operand.constant is None or not uniform(operand.constant):
        return None
    return float(operand.constant.reshape(-1)[0])


def _same(out: Value, value) -> bool:
    return isinstance(value, Value) and value.shape == out.shape and value.dtype == out.dtype


@lowers(aten.mul.Tensor, aten.mul.Scalar)
def mul(b, out, x, y):
    for one, other in ((x, y), (y, x)):
        if number(one) == 1.0 and _same(out, other):
            return other
    return elementwise(b, out, "Mul", (x, y))


@lowers(aten.div.Tensor, aten.div.Scalar)
def div(b, out, x, y):
    if number(y) == 1.0 and _same(out, x):
        return x
    return elementwise(b, out, "Div", (x, y))


@lowers(aten.add.Tensor, aten.add.Scalar)
def add(b, out, x, y, alpha=1):
    if alpha != 1:
        y = elementwise(b, Value(None, y.shape, out.dtype), "Mul", (y, alpha)) if isinstance(y, Value) else y * alpha
    for zero, other in ((x, y), (y, x)):
        if number(zero) == 0.0 and _same(out, other):
            return other
    return elementwise(b, out, "Add", (x, y))


@lowers(aten.sub.Tensor, aten.sub.Scalar)
def sub(b, out, x, y, alpha=1):
    if alpha != 1:
        y = elementwise(b, Value(None, y.shape, out.dtype), "Mul", (y, alpha)) if isinstance(y, Value) else y * alpha
    return elementwise(b, out, "Sub", (x, y))


@lowers(aten.rsub.Scalar)
def rsub(b, out, x, y, alpha=1):
    return elementwise(b, out, "Sub", (y, x if alpha == 1 else mul(b, Value(None, x.shape, x.dtype), x, alpha)))


def _binary(op, *operators):
    lowers(*operators)(lambda b, out, x, y: elementwise(b, out, op, (x, y)))


_binary("Max", aten.maximum.default)
_binary("Min", aten.minimum.default)
_binary("Pow", aten.pow.Tensor_Tensor)


def _comparison(op, negated, *operators):
    @lowers(*operators)
    def compare(b, out, x, y):
        dtype = torch.promote_types(x.dtype, y.dtype) if isinstance(y, Value) else x.dtype
        result = elementwise(b, out, op, (x, y), torch.int64 if dtype == torch.bool else dtype)
        if negated:
            result.name = b.node("Not", [result.name])
        return result


_comparison("Equal", False, aten.eq.Tensor, aten.eq.Scalar)
_comparison("Equal", True, aten.ne.Tensor, aten.ne.Scalar)
_comparison("Less", False, aten.lt.Tensor, aten.lt.Scalar)
_comparison("LessOrEqual", False, aten.le.Tensor, aten.le.Scalar)
_comparison("Greater", False, aten.gt.Tensor, aten.gt.Scalar)
_comparison("GreaterOrEqual", False, aten.ge.Tensor, aten.ge.Scalar)
lowers(aten.logical_and.default, aten.bitwise_and.Tensor)(lambda b, out, x, y: elementwise(b, out, "And", (x, y), torch.bool))
lowers(aten.logical_or.default, aten.bitwise_or.Tensor)(lambda b, out, x, y: elementwise(b, out, "Or", (x, y), torch.bool))


def unary(b: Builder, out: Value, op: str, x: Value, **attributes) -> Value:
    name, stored = b.small(x)
    return Value(b.node(op, [b.cast(name, x.dtype, out.dtype)], **attributes), out.shape, out.dtype, stored)


for _operator, _op in ((aten.sqrt, "Sqrt"), (aten.neg, "Neg"), (aten.abs, "Abs"), (aten.exp, "Exp"), (aten.log, "Log"),
                       (aten.sin, "Sin"), (aten.cos, "Cos"), (aten.asin, "Asin"), (aten.acos, "Acos"), (aten.tan, "Tan"),
                       (aten.atan, "Atan"), (aten.relu, "Relu"), (aten.sigmoid, "Sigmoid"), (aten.tanh, "Tanh"),
                       (aten.reciprocal, "Reciprocal"), (aten.floor, "Floor"), (aten.ceil, "Ceil"), (aten.sign, "Sign"),
                       (aten.sgn, "Sign"), (aten.erf, "Erf"), (aten.round, "Round"), (aten.logical_not, "Not"),
                       (aten.bitwise_not, "Not")):
    lowers(_operator.default)(lambda b, out, x, op=_op: unary(b, out, op, x))


@lowers(aten.rsqrt.default)
def rsqrt(b, out, x):
    return unary(b, out, "Reciprocal", unary(b, out, "Sqrt", x))


@lowers(aten.leaky_relu.default)
def leaky_relu(b, out, x, slope=0.01):
    return unary(b, out, "LeakyRelu", x, alpha=float(slope))


@lowers(aten.softplus.default)
def softplus(b, out, x, beta=1, threshold=20):
    if beta != 1:
        raise NotImplementedError(f"softplus with beta {beta}")
    return unary(b, out, "Softplus", x)


@lowers(aten.pow.Tensor_Scalar)
def power(b, out, x, exponent):
    if exponent == 1 and _same(out, x):
        return x
    if exponent == 2:
        return elementwise(b, out, "Mul", (x, x))
    if exponent == 0.5:
        return unary(b, out, "Sqrt", x)
    if exponent == -1:
        return unary(b, out, "Reciprocal", x)
    return elementwise(b, out, "Pow", (x, exponent))


@lowers(aten.clamp.default, aten.hardtanh.default)
def clamp(b, out, x, low=None, high=None):
    if isinstance(low, Value) or isinstance(high, Value):
        raise NotImplementedError("clamp with tensor bounds: use torch.maximum and torch.minimum")
    name, stored = b.small(x)
    bounds = ["" if low is None else b.scalar(low, out.dtype)] + ([] if high is None else [b.scalar(high, out.dtype)])
    return Value(b.node("Clip", [b.cast(name, x.dtype, out.dtype), *bounds]), out.shape, out.dtype, stored)


lowers(aten.clamp_min.default)(lambda b, out, x, low: clamp(b, out, x, low))
lowers(aten.clamp_max.default)(lambda b, out, x, high: clamp(b, out, x, None, high))


@lowers(aten.where.self, aten.where.ScalarSelf, aten.where.ScalarOther, aten.where.Scalar)
def where(b, out, condition, x, y):
    names, shapes = [], []
    for operand, dtype in ((condition, torch.bool), (x, out.dtype), (y, out.dtype)):
        if isinstance(operand, Value):
            name, stored = b.small(operand)
            names.append(b.cast(name, operand.dtype, dtype))
            shapes.append(stored)
        else:
            names.append(b.scalar(operand, dtype))
            shapes.append(())
    stored = tuple(torch.broadcast_shapes(*shapes))
    name = b.node("Where", names)
    if len(stored) < len(out.shape):
        stored = (1,) * (len(out.shape) - len(stored)) + stored
        name = b.reshape(name, stored)
    return Value(name, out.shape, out.dtype, stored)


@lowers(aten.clone.default, aten.alias.default, aten.detach.default, aten.lift_fresh_copy.default, aten._to_copy.default,
        aten.contiguous.default)
def same(b, out, x):
    if x.dtype == out.dtype:
        return x
    name, stored = b.small(x)
    return Value(b.cast(name, x.dtype, out.dtype), out.shape, out.dtype, stored)


@lowers(aten.copy.default)
def copy(b, out, x, source, *rest):
    return same(b, out, source) if source.shape == out.shape else Value(
        b.node("Expand", [b.cast(b.whole(source), source.dtype, out.dtype), b.ints(out.shape)]), out.shape, out.dtype)


def _reduction(op, *operators):
    @lowers(*operators)
    def reduce(b, out, x, dims=None, keepdim=False):
        rank = len(x.shape)
        dims = list(range(rank)) if dims is None or dims == [] else [d % rank for d in ([dims] if isinstance(dims, int) else dims)]
        name = b.cast(b.whole(x), x.dtype, out.dtype)
        if all(x.shape[d] == 1 for d in dims):
            return b.reshape(name, out.shape)
        return b.node(op, [name, b.ints(dims)], keepdims=int(keepdim))


_reduction("ReduceSum", aten.sum.dim_IntList, aten.sum.default)
_reduction("ReduceMean", aten.mean.dim, aten.mean.default)
_reduction("ReduceMax", aten.amax.default)
_reduction("ReduceMin", aten.amin.default)
