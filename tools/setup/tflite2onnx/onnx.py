"""Writes ONNX files with nothing but Python: the few messages of `onnx.proto` that a plain graph needs, in protobuf's wire format.

Field numbers follow `onnx.proto` (Apache-2.0).
"""

import struct
from dataclasses import dataclass, field

FLOAT, INT64 = 1, 7
_INT, _STRING, _INTS = 2, 3, 7
_FORMATS = {FLOAT: "f", INT64: "q"}


@dataclass
class Array:
    """Numbers in row-major order."""

    shape: tuple[int, ...]
    values: list
    kind: int = FLOAT

    def transposed(self, *axes: int) -> "Array":
        """The same with its axes in another order."""
        strides = [1] * len(self.shape)
        for axis in reversed(range(len(self.shape) - 1)):
            strides[axis] = strides[axis + 1] * self.shape[axis + 1]
        places = [0]
        for axis in axes:
            places = [place + step for place in places for step in range(0, self.shape[axis] * strides[axis], strides[axis])]
        return Array(tuple(self.shape[axis] for axis in axes), [self.values[place] for place in places], self.kind)


def integers(values) -> Array:
    """A vector of int64."""
    values = [int(value) for value in values]
    return Array((len(values),), values, INT64)


@dataclass
class Graph:
    """A graph in the making."""

    name: str
    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)

    def node(self, kind: str, inputs: list[str], output: str, **attributes) -> None:
        """Adds a node that is called like its output."""
        named = [_attribute(name, value) for name, value in sorted(attributes.items())]
        self.nodes.append(
            _each(1, inputs) + _bytes(2, output) + _bytes(3, output) + _bytes(4, kind) + b"".join(_bytes(5, one) for one in named)
        )

    def constant(self, name: str, array: Array) -> None:
        """Adds a constant."""
        raw = struct.pack(f"<{len(array.values)}{_FORMATS[array.kind]}", *array.values)
        dims = b"".join(_number(1, size) for size in array.shape)
        self.constants.append(dims + _number(2, array.kind) + _bytes(8, name) + _bytes(9, raw))

    def file(self, inputs: dict[str, tuple[int, ...]], outputs: dict[str, list[int]], ir_version: int, opset: int) -> bytes:
        """The finished file; all inputs and outputs are floats of these shapes."""
        graph = b"".join(_bytes(1, node) for node in self.nodes) + _bytes(2, self.name)
        graph += b"".join(_bytes(5, constant) for constant in self.constants)
        graph += b"".join(_bytes(11, _value(*one)) for one in inputs.items())
        graph += b"".join(_bytes(12, _value(*one)) for one in outputs.items())
        opsets = _bytes(1, "") + _number(2, opset)
        return _number(1, ir_version) + _bytes(2, "talkgraph") + _bytes(7, graph) + _bytes(8, opsets)


def _attribute(name: str, value) -> bytes:
    if isinstance(value, str):
        data, kind = _bytes(4, value), _STRING
    elif isinstance(value, int):
        data, kind = _number(3, value), _INT
    else:
        data, kind = b"".join(_number(8, int(one)) for one in value), _INTS
    return _bytes(1, name) + data + _number(20, kind)


def _value(name: str, shape) -> bytes:
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, FLOAT) + _bytes(2, dims)))


def _each(number: int, texts: list[str]) -> bytes:
    return b"".join(_bytes(number, text) for text in texts)


def _bytes(number: int, data) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
