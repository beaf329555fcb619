"""FlatBuffers by the functions that flatc generates for a schema: children first, then the tables of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from edgenet.tflite_schema import schema

__all__ = ["FileBuilder"]

ALIGNMENT = 16  # force_align of Buffer.data in the schema
IDENTIFIER = b"TFL3"


class FileBuilder:
    """Writes one TFLite file; what its methods return are offsets, which tables hold."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1 << 20)

    def text(self, text: str) -> int:
        """A string."""
        return int(self._builder.CreateString(text))

    def numbers(self, values: Sequence[int]) -> int:
        """A vector of int32."""
        return self.array(np.array(values, np.int32))

    def array(self, values: NDArray[Any]) -> int:
        """A vector of an array's numbers."""
        return int(self._builder.CreateNumpyVector(values.astype(values.dtype.newbyteorder("<"))))

    def aligned(self, values: NDArray[Any]) -> int:
        """A vector of an array's bytes, which begins at a multiple of 16."""
        data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        self._builder.Prep(ALIGNMENT, len(data))
        return int(self._builder.CreateByteVector(data))

    def offsets(self, children: Sequence[int]) -> int:
        """A vector of tables or strings."""
        self._builder.StartVector(4, len(children), 4)
        for child in reversed(children):
            self._builder.PrependUOffsetTRelative(child)
        return int(self._builder.EndVector())

    def table(self, name: str, fields: Mapping[str, Any]) -> int:
        """A table.

        Args:
            name: The schema's, such as ``Conv2DOptions``.
            fields: Numbers, and offsets of what was written before, by the schema's names in camel case.
        """
        getattr(schema(), f"{name}Start")(self._builder)
        for field, value in fields.items():
            getattr(schema(), f"{name}Add{field[0].upper()}{field[1:]}")(self._builder, value)
        return int(getattr(schema(), f"{name}End")(self._builder))

    def finished(self, root: int) -> bytes:
        """The file's bytes."""
        self._builder.Finish(root, IDENTIFIER)
        return bytes(self._builder.Output())
