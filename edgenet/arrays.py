"""Arrays as ``.npy`` files in memory."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["array_bytes", "read_array"]


def array_bytes(values: NDArray[Any]) -> bytes:
    """The bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return buffer.getvalue()


def read_array(data: bytes) -> NDArray[Any]:
    """The array of a ``.npy`` file whose header claims as many bytes as follow it.

    Raises:
        ValueError: It is no such file.
    """
    try:
        return _read(data)
    except (EOFError, TypeError, SyntaxError) as error:
        raise ValueError(str(error)) from None


def _read(data: bytes) -> NDArray[Any]:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    if math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError("its header claims another size")
    values: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return values
