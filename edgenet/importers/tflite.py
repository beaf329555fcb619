"""TFLite files: float, with float16 or int8 weights, int8 or uint8 throughout; see docs/tflite-files.md."""

from __future__ import annotations

from pathlib import Path

from edgenet.errors import ModelError
from edgenet.files import read_regular
from edgenet.importer import Imported
from edgenet.importers.tflite_file.convert import convert
from edgenet.importers.tflite_file.network import parse_network

__all__ = ["read", "takes"]

MAX_BYTES = 2 << 30  # FlatBuffers count no further


def takes(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.suffix.lower() in (".tflite", ".lite")


def read(path: Path, size: tuple[int, int]) -> Imported:
    """The network of a TFLite file, pictures NCHW.

    A float file becomes a float graph. One that computes with bytes becomes Q/DQ with its own scales and zero
    points; its input is then as in the file, uint8 or int8 behind a DequantizeLinear, or float.

    Args:
        path: The file.
        size: Height and width of the input where the file leaves them free.

    Raises:
        ModelError: It cannot be read, is damaged, or is no TFLite file.
        UnsupportedError: An operator has no form in ONNX here; it is named.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror})", "give the path of a .tflite file"
        ) from None
    return convert(parse_network(memoryview(data), str(path)), size)
