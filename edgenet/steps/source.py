"""What a user names as a model: a file, the embedded one, or what was quantized before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from edgenet.card import ModelCard
from edgenet.errors import ModelError
from edgenet.files import read_regular
from edgenet.graph.given.operators import explicit_qdq
from edgenet.importer import find_importer
from edgenet.model import Model, is_quantized
from edgenet.onnx_file import MAX_BYTES
from edgenet.quantize.container import is_container
from edgenet.quantize.quantized import Quantized
from edgenet.steps.in_memory import from_memory
from edgenet.text import near
from edgenet.zoo import EMBEDDED, embedded

__all__ = ["Source", "comes_quantized", "model_path", "read_float", "read_quantized", "read_source"]

# With models of Keras and PyTorch in memory, which have no type that edgenet could name.
Source = Model | Quantized | Path | str | object
MARKS = (b"uantize", b"QLinear", b"QGemm", b"Integer")


def read_source(
    model: Source, preprocessing: ModelCard | Path | str | None = None, labels: Path | str | None = None
) -> Model | Quantized:
    """Read a model, float or quantized; what is loaded already stays as it is.

    One that comes quantized from elsewhere is a ``Model`` of precision "int8"; integer operators in it are
    written as Q/DQ, which says the same.

    Args:
        model: A file in any form with its card beside it, a file of ``edgenet quantize``, "signs" or "scenes"
            for an embedded model where no file is called so, a value, or a framework's model in memory.
        preprocessing: Another card than the one beside the file.
        labels: A file of class names.

    Raises:
        ModelError: The file cannot be used, or a card or labels are given to a model that has its own.
    """
    if isinstance(model, Model | Quantized):
        _check_alone(model, preprocessing, labels)
        return _explicit(model) if isinstance(model, Model) else model
    if not isinstance(model, Path | str):
        return from_memory(model, preprocessing, labels)
    path = model_path(model)
    quantized = read_quantized(path)
    if quantized is None:
        return _explicit(Model.load(path, preprocessing, labels))
    _check_alone(quantized, preprocessing, labels)
    return quantized


def model_path(model: Path | str) -> Path:
    """The file of a model: an embedded one's where its name is given and no file here is called so.

    Raises:
        ModelError: No file is called so, and an embedded model almost is.
    """
    name, path = str(model), Path(model)
    if name in EMBEDDED and not path.exists():
        return embedded(name)
    if not path.suffix and not path.exists() and (hint := near(name, EMBEDDED)):
        raise ModelError(f"{name}: no such file or embedded model", hint)
    return path


def read_float(
    model: Source, preprocessing: ModelCard | Path | str | None = None, labels: Path | str | None = None
) -> Model:
    """Read a model that is to be quantized; as :func:`read_source`.

    Raises:
        ModelError: It is quantized already.
    """
    found = read_source(model, preprocessing, labels)
    if isinstance(found, Quantized):
        raise ModelError(f"{found.original.name} is quantized already", "give the float model")
    if found.precision == "int8":
        raise ModelError(
            f"{found.name} comes quantized, and its scales are kept",
            "give it to edgenet compile as it is, or quantize the float model",
        )
    return found


def comes_quantized(path: Path) -> bool:
    """Whether a file is an ONNX model that somebody else quantized; ``False`` for what cannot be read."""
    data = _onnx_bytes(path)
    if data is None or not any(mark in data for mark in MARKS):
        return False  # float models need not be parsed for it
    try:
        proto = onnx.load_model_from_string(data)
    except DecodeError:
        return False
    return is_quantized(proto) and not is_container(proto)


def read_quantized(path: Path) -> Quantized | None:
    """What ``edgenet quantize`` wrote, whatever the file's name; ``None`` where it is no such file.

    Raises:
        ModelError: It is one, and damaged or changed.
    """
    data = _onnx_bytes(path)
    if data is None:
        return None
    try:
        known = is_container(onnx.load_model_from_string(data))
    except DecodeError:
        return None
    return Quantized.parse(data, str(path)) if known else None


def _onnx_bytes(path: Path) -> bytes | None:
    """What may be an ONNX file; ``None`` for other forms, and for what is no file that can be read."""
    if find_importer(path) is not None:
        return None
    try:
        return read_regular(path, MAX_BYTES)
    except OSError:
        return None


def _explicit(model: Model) -> Model:
    return replace(model, proto=explicit_qdq(model.proto, model.name)) if model.precision == "int8" else model


def _check_alone(
    model: Model | Quantized, preprocessing: ModelCard | Path | str | None, labels: Path | str | None
) -> None:
    if preprocessing is not None or labels is not None:
        name = model.name if isinstance(model, Model) else model.original.name
        raise ModelError(
            f"{name} has its own preprocessing and labels",
            "leave --preprocessing and --labels out, or give the ONNX file of the float model",
        )
