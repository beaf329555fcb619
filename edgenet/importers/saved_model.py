"""TensorFlow's SavedModel folders: refused, with the line that makes an ONNX file of one."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from edgenet.errors import ModelError

__all__ = ["read", "takes"]

PROGRAM = "saved_model.pb"


def takes(path: Path) -> bool:
    """Whether it is a folder with a program in it, or that program."""
    return (path / PROGRAM).is_file() or path.name == PROGRAM


def read(path: Path, size: tuple[int, int]) -> NoReturn:  # noqa: ARG001
    """Refuse it.

    Raises:
        ModelError: Always; the remedy is the line to run.
    """
    folder = path.parent if path.name == PROGRAM else path
    raise ModelError(
        f"{folder}: a SavedModel, which edgenet does not read yet",
        f"run pip install tf2onnx tensorflow, then python -m tf2onnx.convert --saved-model {folder.name} "
        f"--output {folder.resolve().name}.onnx --opset 13; or save a Keras model: model.save('model.keras')",
    )
