"""Numeric arrays of MATLAB 5 files, which is what the published morphable models are kept in.

The format is that of the MathWorks' "MAT-File Format": a header, then one element an array, each a tag of type and length and its data, arrays
made of further elements, padded to eight bytes. Read here and not by SciPy, whose reader ends the whole program on some damaged files.
"""

import math
import struct
import zlib

import numpy as np
import torch

from .errors import AGAIN, Unfit, truncated

MAGIC = b"MATLAB 5.0 MAT-file"
HEADER = 128  # bytes before the first array
MATRIX, COMPRESSED = 14, 15  # types of elements
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # how numbers are kept
# What an array is of. PyTorch has few unsigned types: they become wider ones.
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "i4", 12: "i4", 13: "i8", 14: "i8", 15: "i8"}


def read(path, place) -> dict[str, torch.Tensor]:
    """The numeric arrays of a file by name; text, cells and structures are passed over."""
    data = path.read_bytes()
    if len(data) <= HEADER:
        raise truncated(place, f"more than {HEADER}", len(data))
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise Unfit(place, "not a sound MATLAB file: its header does not tell the order of bytes", AGAIN)
    found, at = {}, HEADER
    while at < len(data):
        if at + 8 > len(data):
            raise truncated(place, f"{at + 8} or more", len(data))
        kind, length = struct.unpack_from(order + "II", data, at)
        end = at + 8 + length
        if end > len(data):
            raise truncated(place, f"{end} or more", len(data))
        try:
            found |= _array(_Elements(_inflate(data[at + 8 : end], order) if kind == COMPRESSED else data[at:end], order))
        except (ValueError, struct.error, zlib.error, IndexError, OverflowError, UnicodeDecodeError, MemoryError) as error:
            raise Unfit(place, f"not a sound MATLAB file: {error}", AGAIN) from error
        at = end
    return found


def _inflate(data, order):
    """A compressed element, no longer than its own tag says."""
    stream = zlib.decompressobj()
    tag = stream.decompress(data, 8)
    length = struct.unpack_from(order + "I", tag, 4)[0]
    return tag + stream.decompress(stream.unconsumed_tail, length) if length else tag


class _Elements:
    """A row of elements, read one after the other."""

    def __init__(self, data, order):
        self.data, self.order, self.at = data, order, 0

    def next(self):
        """Type and data of the next one."""
        kind, length = struct.unpack_from(self.order + "II", self.data, self.at)
        start = self.at + 8
        if kind >> 16:  # up to four bytes, kept within the tag
            kind, length, start = kind & 0xFFFF, kind >> 16, self.at + 4
            self.at += 8
        else:
            self.at = start + length + (-length % 8)
        if start + length > len(self.data) or (start == self.at - 4 and length > 4):
            raise ValueError("an element ends beyond the array that it is in")
        return kind, self.data[start : start + length]

    def numbers(self):
        kind, data = self.next()
        if kind not in STORED:
            raise ValueError(f"expected numbers, found an element of type {kind}")
        return np.frombuffer(data, self.order + STORED[kind])


def _array(elements):
    """{name: tensor} of an element that is a numeric array, else nothing."""
    kind, data = elements.next()
    if kind != MATRIX or not data:
        return {}
    parts = _Elements(data, elements.order)
    flags, sizes = int(parts.numbers()[0]), [int(size) for size in parts.numbers()]
    name = parts.next()[1].decode("latin1")
    if flags & 0xFF not in CLASSES:
        return {}
    numbers = parts.numbers()
    if min(sizes, default=-1) < 0 or math.prod(sizes) != len(numbers):
        raise ValueError(f"`{name}` has {len(numbers)} numbers, expected {sizes}")
    array = numbers.astype(CLASSES[flags & 0xFF]).reshape(sizes, order="F")  # MATLAB counts columns first
    return {name: torch.from_numpy(np.ascontiguousarray(array))}
