"""A TensorFlow Lite model in memory. Field numbers follow `schema.fbs` of TensorFlow Lite (Apache-2.0)."""

import struct
from dataclasses import dataclass

from .flatbuffer import Table
from .onnx import FLOAT, INT64, Array

_OPERATORS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE",
    14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU", 22: "RESHAPE", 23: "RESIZE_BILINEAR", 32: "CUSTOM",
    34: "PAD", 45: "STRIDED_SLICE", 54: "PRELU", 117: "HARD_SWISH",
}  # fmt: skip
_KINDS = {0: ("f", FLOAT), 1: ("e", FLOAT), 2: ("i", INT64)}


@dataclass
class Tensor:
    """A tensor: `data` is `None` unless it is a constant."""

    shape: tuple[int, ...]
    data: "Array | None"


@dataclass
class Operator:
    """An operator: `options` is its option table, `custom` the bytes of a custom operator's options."""

    kind: str
    inputs: list[int]
    outputs: list[int]
    options: "Table | None"
    custom: bytes


@dataclass
class Model:
    """The first subgraph of a file; operators are in execution order."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: list[int]
    outputs: list[int]


def read(data: bytes) -> Model:
    """Reads a `.tflite` file. Fails on operators and element types that the converter does not know."""
    if data[4:8] != b"TFL3":
        raise ValueError("not a TensorFlow Lite file: expected the identifier TFL3")
    root = Table.root(data)
    kinds = [_kind(code) for code in root.tables(1)]
    graph = root.tables(2)[0]
    buffers = root.tables(4)
    return Model(
        tensors=[_tensor(table, buffers) for table in graph.tables(0)],
        operators=[
            Operator(
                kind=kinds[table.scalar(0, "I")],
                inputs=list(table.array(1, "i")),
                outputs=list(table.array(2, "i")),
                options=table.table(4),
                custom=table.raw(5),
            )
            for table in graph.tables(3)
        ],
        inputs=list(graph.array(1, "i")),
        outputs=list(graph.array(2, "i")),
    )


def _kind(code: Table) -> str:
    # Older files have only the byte field, newer ones both.
    number = max(code.scalar(0, "b"), code.scalar(3, "i"))
    if number not in _OPERATORS:
        raise ValueError(f"operator {number} is not supported")
    kind = _OPERATORS[number]
    return code.text(1) if kind == "CUSTOM" else kind


def _tensor(table: Table, buffers: list[Table]) -> Tensor:
    shape = table.array(0, "i")
    kind = table.scalar(1, "b")
    if kind not in _KINDS:
        raise ValueError(f"element type {kind} is not supported")
    letter, element = _KINDS[kind]
    data = buffers[table.scalar(2, "I")].raw(0)
    values = list(struct.unpack(f"<{len(data) // struct.calcsize(letter)}{letter}", data))
    return Tensor(shape, Array(shape, values, element) if values else None)
