"""TensorFlow's SavedModel folders: TensorFlow's own converter makes a TFLite file of one, and that is read.

Source: https://ai.google.dev/edge/litert/conversion/tensorflow/convert_tf.
"""

from __future__ import annotations

from pathlib import Path

from edgenet.importer import Imported
from edgenet.importers import tflite
from edgenet.importers.framework.convert import Form, convert

__all__ = ["read", "takes"]

PROGRAM = "saved_model.pb"
SCRIPT = """
import sys
import tensorflow as tf
made = tf.lite.TFLiteConverter.from_saved_model(sys.argv[1]).convert()
with open(sys.argv[2], "wb") as stream:
    stream.write(made)
"""


def takes(path: Path) -> bool:
    """Whether it is a folder with a program in it, or that program."""
    return (path / PROGRAM).is_file() or path.name == PROGRAM


def read(path: Path, size: tuple[int, int]) -> Imported:
    """The network of a SavedModel's default signature, as TensorFlow converts it, float32.

    Args:
        path: The folder, or the program in it.
        size: Height and width of the input where the signature leaves them free.

    Raises:
        ModelError: No Python has TensorFlow, or it cannot convert the model.
        UnsupportedError: An operator has no form in ONNX here; it is named.
    """
    form = Form(
        "a SavedModel", ("tensorflow",), SCRIPT, ".tflite", lambda made: tflite.read(made, size), _by_hand
    )
    return convert(path.parent if path.name == PROGRAM else path, form)


def _by_hand(folder: Path) -> str:
    return (
        f"run in Python: import tensorflow as tf; open({folder.resolve().name + '.tflite'!r}, 'wb').write("
        f"tf.lite.TFLiteConverter.from_saved_model({str(folder)!r}).convert()), and give that file"
    )
