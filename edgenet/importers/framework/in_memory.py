"""Models of Keras and PyTorch that are in memory, in the environment where they were trained."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgenet.errors import ModelError
from edgenet.importer import Imported
from edgenet.importers import keras
from edgenet.onnx_file import read_onnx
from edgenet.text import cause, with_article

__all__ = ["imported", "name_of"]

KERAS, TORCH = ("keras", "tf_keras"), "torch.nn.modules.module"


def imported(model: Any, size: tuple[int, int]) -> Imported:
    """The network of a model in memory; the model stays as it is.

    A model of Keras is saved to a temporary ``.keras`` file, which edgenet reads. A module of PyTorch is
    exported by ``torch.onnx.export(…, dynamo=True)`` (needs onnxscript) for one picture, in evaluation mode.

    Args:
        model: ``keras.Model``, of Keras 3 or tf_keras, or ``torch.nn.Module``.
        size: Height and width of the picture that the card gives it.

    Raises:
        ModelError: It is neither, or its framework cannot write it; the framework's own words are in it.
        UnsupportedError: A layer has no form in ONNX here; it is named.
    """
    write = _writer(model)
    with tempfile.TemporaryDirectory(prefix="edgenet-convert-") as folder:
        return write(model, Path(folder), size)


def name_of(model: Any) -> str:
    """What Keras calls it, or else its class.

    Raises:
        ModelError: It is no model of Keras or PyTorch.
    """
    _writer(model)
    name = getattr(model, "name", None)
    return name if isinstance(name, str) and name else type(model).__name__.lower()


def _writer(model: Any) -> Callable[[Any, Path, tuple[int, int]], Imported]:
    kinds = {kind.__module__ for kind in type(model).__mro__}
    if TORCH in kinds:
        return _write_torch
    if not _is_keras(kinds):
        raise ModelError(
            f"{with_article(type(model).__name__)} is not a model that edgenet knows",
            "give a keras.Model, a torch.nn.Module, or the path of a file",
        )
    return _write_keras


def _is_keras(kinds: set[str]) -> bool:
    return any(kind.split(".")[0] in KERAS for kind in kinds) and any(
        kind.endswith("model") or kind.endswith("training") for kind in kinds
    )


def _write_keras(model: Any, folder: Path, size: tuple[int, int]) -> Imported:
    made = folder / "model.keras"
    try:
        model.save(made)
    except Exception as error:
        raise _refused(model, error, "see why model.save('model.keras') fails") from None
    return keras.read(made, size)


def _write_torch(model: Any, folder: Path, size: tuple[int, int]) -> Imported:
    torch: Any = sys.modules["torch"]
    made, was_training = folder / "model.onnx", model.training
    first = next(model.parameters(), None)
    picture = torch.zeros(1, 3, *size, device=first.device if first is not None else "cpu")
    try:
        torch.onnx.export(
            model.eval(), (picture,), str(made), dynamo=True, external_data=False, verbose=False
        )
    except Exception as error:
        remedy = "pip install onnxscript, or see why torch.onnx.export(model, …, dynamo=True) fails"
        raise _refused(model, error, remedy) from None
    finally:
        model.train(was_training)
    return Imported(read_onnx(made))


def _refused(model: Any, error: Exception, remedy: str) -> ModelError:
    return ModelError(
        f"{type(model).__name__}: its framework cannot write it ({type(error).__name__}: {cause(error)})",
        remedy,
    )
