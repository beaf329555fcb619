"""What a user names as a model: a file, the embedded one, or what was quantized before."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from edgenet.errors import ModelError
from edgenet.model import Model
from edgenet.quantize.container import is_container
from edgenet.quantize.quantized import Quantized
from edgenet.zoo import embedded

__all__ = ["EMBEDDED", "Source", "read_float", "read_quantized", "read_source"]

EMBEDDED = "signs"
Source = Model | Quantized | Path | str


def read_source(
    model: Source, preprocessing: Path | str | None = None, labels: Path | str | None = None
) -> Model | Quantized:
    """Read a model, float or quantized; what is loaded already stays as it is.

    Args:
        model: An ONNX file with its card beside it, a file of ``edgenet quantize``, "signs" for the embedded
            model where no file is called so, or a value.
        preprocessing: Another card than the one beside the file.
        labels: A file of class names.

    Raises:
        ModelError: The file cannot be used, or a card or labels are given to a model that has its own.
    """
    if isinstance(model, Model | Quantized):
        _check_alone(model, preprocessing, labels)
        return model
    path = embedded() if str(model) == EMBEDDED and not Path(model).exists() else Path(model)
    quantized = read_quantized(path)
    if quantized is None:
        return Model.load(path, preprocessing, labels)
    _check_alone(quantized, preprocessing, labels)
    return quantized


def read_float(
    model: Source, preprocessing: Path | str | None = None, labels: Path | str | None = None
) -> Model:
    """Read a model that is to be quantized; as :func:`read_source`.

    Raises:
        ModelError: It is quantized already.
    """
    found = read_source(model, preprocessing, labels)
    if isinstance(found, Quantized):
        raise ModelError(f"{found.original.name} is quantized already", "give the float model")
    return found


def read_quantized(path: Path) -> Quantized | None:
    """What ``edgenet quantize`` wrote, whatever the file's name; ``None`` where it is no such file.

    Raises:
        ModelError: It is one, and damaged or changed.
    """
    try:
        data = path.read_bytes()
        known = is_container(onnx.load_model_from_string(data))
    except (OSError, DecodeError):
        return None
    return Quantized.parse(data, str(path)) if known else None


def _check_alone(
    model: Model | Quantized, preprocessing: Path | str | None, labels: Path | str | None
) -> None:
    if preprocessing is not None or labels is not None:
        name = model.name if isinstance(model, Model) else model.original.name
        raise ModelError(
            f"{name} has its own preprocessing and labels",
            "leave --preprocessing and --labels out, or give the ONNX file of the float model",
        )
