"""ONNX nodes and initialisers as they are emitted, each expression once."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from onnx import FunctionProto, TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 10
DOMAIN_VERSION = 1  # of the domains of functions
TYPES = {torch.float32: TensorProto.FLOAT, torch.float64: TensorProto.DOUBLE, torch.int64: TensorProto.INT64,
         torch.int32: TensorProto.INT32, torch.bool: TensorProto.BOOL}


@dataclass
class Value:
    """A tensor of the graph.

    `stored` is the shape of the ONNX tensor `name`; where it is 1 and `shape` is not, the tensor is meant repeated, and
    operators that broadcast use it as it is. `constant` holds the values of what is known while lowering.
    """

    name: str | None
    shape: tuple[int, ...]
    dtype: torch.dtype
    stored: tuple[int, ...] | None = None
    constant: torch.Tensor | None = None

    def __post_init__(self):
        self.shape = tuple(self.shape)
        self.stored = self.shape if self.stored is None else tuple(self.stored)

    @property
    def repeated(self) -> bool:
        return self.stored != self.shape


def uniform(tensor: torch.Tensor) -> bool:
    """Whether all elements are one number."""
    return tensor.numel() > 0 and bool((tensor == tensor.reshape(-1)[0]).all())


class Builder:
    def __init__(self):
        self.nodes, self.initialisers, self.functions = [], {}, {}
        self._made: dict = {}
        self._reshaped_from: dict[str, str] = {}
        self._transposed_from: dict[str, tuple[str, list[int]]] = {}
        self._count = 0

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind.lower()}_{self._count}"

    def node(self, op: str, inputs: list[str], outputs: int = 1, **attributes):
        """Emit a node, or find the equal one emitted before; gives its output name, or a tuple of them."""
        key = (op, tuple(inputs), outputs, repr(sorted(attributes.items())))
        if key not in self._made:
            names = tuple(self._name(op) for _ in range(outputs))
            self.nodes.append(helper.make_node(op, list(inputs), list(names), **attributes))
            self._made[key] = names[0] if outputs == 1 else names
        return self._made[key]

    def use(self, function: FunctionProto):
        """Keep a function that the body of another calls."""
        self.functions[function.domain, function.name] = function

    def call(self, function: FunctionProto, inputs: list[str], **attributes):
        """Emit a call of a model's function, which hosts may have a kernel for; gives its output name, or a tuple of them."""
        self.use(function)
        return self.node(function.name, inputs, len(function.output), domain=function.domain, **attributes)

    def array(self, array: np.ndarray) -> str:
        array = np.asarray(array, order="C")
        key = (array.dtype.str, array.shape, hashlib.blake2b(array.tobytes()).digest())
        if key not in self._made:
            name = self._name("const")
            self.initialisers[name] = numpy_helper.from_array(array, name)
            self._made[key] = name
        return self._made[key]

    def ints(self, values) -> str:
        return self.array(np.array(list(values), np.int64))

    def scalar(self, value, dtype: torch.dtype, rank: int = 0) -> str:
        return self.array(torch.full([1] * rank, value, dtype=dtype).numpy())

    def cast(self, name: str, old: torch.dtype, new: torch.dtype) -> str:
        return name if old == new else self.node("Cast", [name], to=TYPES[new])

    def reshape(self, name: str, shape) -> str:
        source = self._reshaped_from.get(name, name)
        out = self.node("Reshape", [source, self.ints(shape)])
        self._reshaped_from[out] = source
        return out

    def transpose(self, name: str, order) -> str:
        """Transpose, or what a transpose before it and this one come to together."""
        source, before = self._transposed_from.get(name, (name, list(range(len(order)))))
        order = [before[axis] for axis in order]
        if order == sorted(order):
            return source
        out = self.node("Transpose", [source], perm=order)
        self._transposed_from[out] = source, order
        return out

    def transposed(self, name: str) -> str | None:
        """Of which matrix `name` is the transposed one, if it is."""
        source, order = self._transposed_from.get(name, (None, None))
        return source if order == [1, 0] else None

    # ------------------------------------------------------------------ values as operands
    def small(self, value: Value) -> tuple[str, tuple[int, ...]]:
        """The name and shape of the smallest tensor that broadcasts to `value`."""
        if value.constant is not None and value.name is None:
            if value.constant.numel() > 1 and uniform(value.constant):
                value.stored = (1,) * len(value.shape)
                value.name = self.array(value.constant.detach().reshape(-1)[0].reshape(value.stored).numpy())
            else:
                value.name = self.array(value.constant.detach().numpy())
        return value.name, value.stored

    def whole(self, value: Value) -> str:
        """The name of a tensor of exactly the shape of `value`."""
        name, stored = self.small(value)
        return name if stored == value.shape else self.node("Expand", [name, self.ints(value.shape)])
