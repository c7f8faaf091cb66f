"""A reader of FlatBuffers tables, enough for TensorFlow Lite files.

The binary layout: every table starts with a signed offset back to its vtable, which lists where each field lies
(https://flatbuffers.dev/internals). Fields are addressed by their number in the schema.
"""

import struct


class Table:
    """One table. `field` numbers are positions in the schema's field list, counted from zero."""

    def __init__(self, data: bytes, position: int):
        self._data = data
        self._position = position
        vtable = position - struct.unpack_from("<i", data, position)[0]
        size = struct.unpack_from("<H", data, vtable)[0]
        self._fields = struct.unpack_from(f"<{(size - 4) // 2}H", data, vtable + 4)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """The root table of a file."""
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def scalar(self, field: int, kind: str, default=0):
        """A scalar field; `kind` is a `struct` character."""
        at = self._at(field)
        return default if at is None else struct.unpack_from("<" + kind, self._data, at)[0]

    def table(self, field: int) -> "Table | None":
        """A table field."""
        at = self._at(field)
        return None if at is None else Table(self._data, self._follow(at))

    def tables(self, field: int) -> "list[Table]":
        """A vector of tables."""
        start, count = self._vector(field)
        return [Table(self._data, self._follow(start + 4 * k)) for k in range(count)]

    def array(self, field: int, kind: str) -> tuple:
        """A vector of scalars, `kind` is a `struct` character; empty when the field is absent."""
        start, count = self._vector(field)
        return struct.unpack_from(f"<{count}{kind}", self._data, start)

    def raw(self, field: int) -> bytes:
        """A vector of bytes; empty when the field is absent."""
        start, count = self._vector(field)
        return self._data[start : start + count]

    def text(self, field: int) -> str:
        """A string field; empty when it is absent."""
        return self.raw(field).decode()

    def _at(self, field: int) -> "int | None":
        offset = self._fields[field] if field < len(self._fields) else 0
        return self._position + offset if offset else None

    def _follow(self, at: int) -> int:
        return at + struct.unpack_from("<I", self._data, at)[0]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._at(field)
        if at is None:
            return 0, 0
        start = self._follow(at)
        return start + 4, struct.unpack_from("<I", self._data, start)[0]
