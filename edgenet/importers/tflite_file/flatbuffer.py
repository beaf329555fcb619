"""Tables of a flatbuffer that nobody vouches for: every offset and length is held to the file first.

Source: the FlatBuffers binary format, https://flatbuffers.dev/internals/: a table begins with a signed offset
back to its vtable, which holds the vtable's size, the table's size and one offset a field (0: the default).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ModelError

__all__ = ["Table", "root_table"]

# Of a file that is cut or changed.
AGAIN = "export the model again, or download it again"
MOST_TABLES = 1 << 20  # in one vector
FIELDS = 4  # bytes before the offsets of a vtable
WIDEST = 8  # bytes of the widest scalar


class Table:
    """One table.

    Attributes:
        data: The whole file.
        position: Where the table begins.
        where: The file's name, for messages.
    """

    def __init__(self, data: memoryview, position: int, where: str) -> None:
        self.data, self.position, self.where = data, position, where
        vtable = position - self._number("<i", position)
        length = self._number("<H", vtable)
        size = self._number("<H", vtable + 2)
        if length < FIELDS or length % 2 or vtable + length > len(data) or position + size > len(data):
            raise self.damaged("a table")
        self._fields = struct.unpack_from(f"<{(length - FIELDS) // 2}H", data, vtable + FIELDS)
        if any(offset >= size for offset in self._fields if offset):
            raise self.damaged("a field")

    def damaged(self, what: str) -> ModelError:
        """The error for an offset or a length that leads out of the file; the caller raises it."""
        return ModelError(f"{self.where}: damaged or truncated ({what} lies outside the file)", AGAIN)

    def has(self, slot: int) -> bool:
        """Whether a field is set."""
        return slot < len(self._fields) and self._fields[slot] > 0

    def number(self, slot: int, form: str, default: int = 0) -> int:
        """A scalar, ``form`` as in :mod:`struct`."""
        return self._number(form, self.position + self._fields[slot]) if self.has(slot) else default

    def table(self, slot: int) -> Table | None:
        """Another table, if there is one."""
        return Table(self.data, self._target(slot), self.where) if self.has(slot) else None

    def tables(self, slot: int) -> list[Table]:
        """A vector of tables."""
        if not self.has(slot):
            return []
        begin, count = self._vector(slot, 4)
        if count > MOST_TABLES:
            raise self.damaged("a list")
        offsets = np.frombuffer(self.data, "<u4", count, begin)
        places = begin + 4 * np.arange(count) + offsets
        return [Table(self.data, int(place), self.where) for place in places]

    def array(self, slot: int, kind: str) -> NDArray[Any]:
        """A vector of numbers, as a view of the file; ``kind`` is a numpy type with its byte order."""
        if not self.has(slot):
            return np.zeros(0, kind)
        begin, count = self._vector(slot, np.dtype(kind).itemsize)
        return np.frombuffer(self.data, kind, count, begin)

    def text(self, slot: int) -> str:
        """A text; what is no UTF-8 in it is replaced."""
        return self.array(slot, "u1").tobytes().decode("utf-8", "replace")

    def _number(self, form: str, place: int) -> int:
        if not 0 <= place <= len(self.data) - struct.calcsize(form):
            raise self.damaged("an offset")
        return int(struct.unpack_from(form, self.data, place)[0])

    def _target(self, slot: int) -> int:
        place: int = self.position + self._fields[slot]
        return place + self._number("<I", place)

    def _vector(self, slot: int, width: int) -> tuple[int, int]:
        """Where a vector's first element stands, and how many there are."""
        place = self._target(slot)
        count = self._number("<I", place)
        if place + 4 + count * width > len(self.data):
            raise self.damaged("a list")
        return place + 4, count


def root_table(data: memoryview, identifiers: tuple[bytes, ...], where: str) -> Table:
    """The table that a file begins with.

    Args:
        data: The whole file.
        identifiers: What may stand in bytes 4 to 7.
        where: The file's name, for messages.

    Raises:
        ModelError: It is another format, or cut.
    """
    if len(data) < WIDEST or bytes(data[4:8]) not in identifiers:
        raise ModelError(f"{where}: not a TFLite file", "give the .tflite file that the converter wrote")
    return Table(data, struct.unpack_from("<I", data)[0], where)
