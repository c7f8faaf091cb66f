"""A reader of FlexBuffers, in which MediaPipe's custom operators keep their options.

Every value is read with its type and the width of its numbers (https://flatbuffers.dev/flatbuffers_internals, "FlexBuffers").
"""

import struct

_NUMBERS = {1: "bhiq", 2: "BHIQ", 3: "?efd"}  # signed, unsigned and floating, by the logarithm of their width
_INDIRECT = {6: 1, 7: 2, 8: 3}
_MAP, _VECTOR = 9, 10
_TYPED = {11: 1, 12: 2, 13: 3}


def read(data: bytes):
    """The value in `data`: a number, a list, or a dictionary of them. Strings and other kinds are refused."""
    width = data[-1]
    return _value(data, len(data) - 2 - width, width, data[-2])


def _value(data: bytes, at: int, parent: int, packed: int):
    """The value whose slot of `parent` bytes is `at`; `packed` is its type and, for what lies elsewhere, the width there."""
    kind, width = packed >> 2, 1 << (packed & 3)
    if kind in _NUMBERS:
        return _number(data, at, parent, kind)
    start = at - _number(data, at, parent, 2)
    if kind in _INDIRECT:
        return _number(data, start, width, _INDIRECT[kind])
    if kind in (_MAP, _VECTOR, *_TYPED):
        count = _number(data, start - width, width, 2)
        slots = [start + k * width for k in range(count)]
        if kind in _TYPED:
            return [_number(data, slot, width, _TYPED[kind]) for slot in slots]
        kinds = data[start + count * width :]
        values = [_value(data, slot, width, kinds[k]) for k, slot in enumerate(slots)]
        return dict(zip(_keys(data, start, width), values)) if kind == _MAP else values
    raise ValueError(f"FlexBuffers type {kind} is not supported")


def _keys(data: bytes, start: int, width: int) -> "list[str]":
    """The names in a map whose values begin at `start`: a vector of them stands elsewhere, its place and width before the length."""
    place = start - 3 * width
    keys, each = place - _number(data, place, width, 2), _number(data, start - 2 * width, width, 2)
    names = []
    for k in range(_number(data, keys - each, each, 2)):
        slot = keys + k * each
        first = slot - _number(data, slot, each, 2)
        names.append(data[first : data.index(0, first)].decode())
    return names


def _number(data: bytes, at: int, width: int, kind: int):
    letter = _NUMBERS[kind][width.bit_length() - 1]
    return struct.unpack_from("<" + letter, data, at)[0]
