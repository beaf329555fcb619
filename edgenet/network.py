"""A model's file read without its card: all that the file says by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from edgenet.card import ModelCard
from edgenet.cards.questions import OPEN
from edgenet.errors import ModelError
from edgenet.importer import Imported, find_importer
from edgenet.model import Model, content_digest, is_quantized
from edgenet.onnx_file import read_onnx
from edgenet.original.detector.row import row_of
from edgenet.original.detector.wiring import with_batch
from edgenet.original.ending import without_logarithm
from edgenet.original.operators import picks_boxes
from edgenet.original.settle import settled
from edgenet.original.shapes import drop_unused_inputs
from edgenet.pages import page
from edgenet.preprocessing import GRAY, Preprocessing
from edgenet.soundness import check_domains, check_tensors
from edgenet.task import Task

__all__ = ["Network"]

IMAGE_RANK = 4
ONNX = "onnx"
CHANNELS = (1, 3)
# What is tried for sides that a file leaves free, and another that tells whether it does.
USUAL, OTHER = (224, 224), (256, 192)
SIDES = range(8, 4097)


@dataclass(frozen=True)
class Network:
    """What a model's file says.

    Attributes:
        path: The file.
        proto: Its graph in the form of :class:`edgenet.model.Model`.
        digest: Of its content.
        form: "onnx", or the name of what reads it (:mod:`edgenet.importers`).
        notes: What was left out when it was read.
        facts: Opset and producer of an ONNX file, inputs and outputs as ONNX, JSON-ready.
        size: Height and width it sees.
        free: Whether it takes any size, and ``size`` is only the usual one.
        nhwc: Whether its channels are the last axis.
        gray: Whether the file takes one channel, and ``proto`` the three that it is made from.
        detection: What the file says under [detection] where it is a detector, of which ``proto`` then is the
            row (:mod:`edgenet.original.detector.row`); else ``None``.
        kind: Type of its input's values: "float32", "uint8", "int8" ….
    """

    path: Path
    proto: onnx.ModelProto
    digest: str
    form: str
    notes: tuple[str, ...]
    facts: Mapping[str, Any]
    size: tuple[int, int]
    free: bool
    nhwc: bool
    kind: str
    gray: bool
    detection: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, path: Path, usual: tuple[int, int] = USUAL) -> Network:
        """Read a file in any form.

        Args:
            path: The file.
            usual: Height and width where it takes any.

        Raises:
            ModelError: It cannot be read, takes no pictures, or is none of a network.
        """
        reader = find_importer(path)
        if reader is None:
            form, read = ONNX, Imported(read_onnx(path))
        else:
            form, read = reader.__module__.rpartition(".")[2], reader(path, usual)
        proto = read.proto
        check_tensors(proto, path)
        check_domains(proto, path)
        facts, digest = _facts(proto, form), content_digest(proto)
        drop_unused_inputs(proto)
        with_batch(proto)
        sides, nhwc = _input(proto, path)
        free = not all(sides)
        if reader is not None and sides == usual:
            free = _input(reader(path, OTHER).proto, path)[0] == OTHER
        size = (sides[0] or usual[0], sides[1] or usual[1])
        if not all(side in SIDES for side in size):
            raise ModelError(
                f"{path}: takes pictures of {size[0]}x{size[1]} pixels",
                f"give a network for pictures of {SIDES[0]} to {SIDES[-1]} pixels a side",
            )
        kind = _kind(proto.graph.input[0])
        gray = proto.graph.input[0].type.tensor_type.shape.dim[3 if nhwc else 1].dim_value == 1
        fed = replace(_as_is(size, kind), color=GRAY if gray else "rgb")
        proto, detection = _detector(proto, fed, path)
        proto = settled(proto, fed, path)
        without_logarithm(proto)
        return cls(path, proto, digest, form, read.notes, facts, size, free, nhwc, kind, gray, detection)

    @property
    def as_is(self) -> Preprocessing:
        """Color pixels as they are: whole numbers that the input's type holds, and no normalization."""
        return _as_is(self.size, self.kind)

    @property
    def values(self) -> int:
        """How many values its first output has; 0 where that is not known."""
        dims = self.proto.graph.output[0].type.tensor_type.shape.dim
        return int(dims[-1].dim_value) if dims else 0

    @property
    def quantized(self) -> bool:
        """Whether it computes with integers."""
        return is_quantized(self.proto)

    def fed(self, task: Task, preprocessing: Preprocessing | None = None) -> Model:
        """The model that it is for a task, fed in some way, or with pixels as they are; unchecked."""
        model = Model.of(
            self.proto, self.path.stem, self.digest, ModelCard(task, preprocessing or self.as_is)
        )
        return replace(model, precision="int8") if self.quantized else model

    def checked(self, task: Task) -> Model:
        """As :meth:`fed`, with every check of a model.

        Raises:
            ModelError: It fails one.
        """
        data = self.proto.SerializeToString()
        card = ModelCard(task, self.as_is)
        return Model.parse(data, self.path.stem, self.digest, card, str(self.path))


def _detector(
    proto: onnx.ModelProto, fed: Preprocessing, path: Path
) -> tuple[onnx.ModelProto, Mapping[str, Any] | None]:
    """A detector's row and what the file says of it; any other network as it is.

    Raises:
        ModelError: It picks boxes, and nothing shows out of which scores.
    """
    picks = picks_boxes(proto)
    if not picks and len(proto.graph.output) < 2:
        return proto, None
    row = onnx.ModelProto.FromString(proto.SerializeToString())
    try:
        return row, row_of(row, {}, 0, fed, path).settings
    except ModelError as error:
        if not picks:
            return proto, None
        raise ModelError(
            f"{path}: picks boxes, and what it picks them from is not clear ({error.what})",
            f"write its card by hand: scores and boxes name tensors in [detection] ({page('detection')})",
        ) from None


def _as_is(size: tuple[int, int], kind: str) -> Preprocessing:
    shift = 128.0 if kind == "int8" else 0.0
    return Preprocessing(size, "rgb", "stretch", None, "bilinear", (shift,) * 3, (1.0,) * 3)


def _input(proto: onnx.ModelProto, path: Path) -> tuple[tuple[int, int], bool]:
    """Height and width of the picture, 0 where they are free, and whether the channels come last."""
    entry = proto.graph.input[0] if proto.graph.input else None
    dims = [dim.dim_value for dim in entry.type.tensor_type.shape.dim] if entry is not None else []
    if entry is None or len(dims) != IMAGE_RANK:
        shape = _shape(entry) if entry is not None else "missing"
        raise ModelError(
            f"{path}: its input is {shape}, and a picture has 4 axes", "export the whole network"
        )
    nhwc = dims[1] not in CHANNELS and dims[3] in CHANNELS
    return (dims[1], dims[2]) if nhwc else (dims[2], dims[3]), nhwc


def _facts(proto: onnx.ModelProto, form: str) -> Mapping[str, Any]:
    opset = next((item.version for item in proto.opset_import if item.domain in ("", "ai.onnx")), None)
    weights = {item.name for item in proto.graph.initializer}
    producer = " ".join(part for part in (proto.producer_name, proto.producer_version) if part)
    return {
        "opset": opset if form == ONNX else None,
        "producer": (producer or None) if form == ONNX else None,
        "inputs": [_told(item) for item in proto.graph.input if item.name not in weights],
        "outputs": [_told(item) for item in proto.graph.output],
    }


def _told(value: onnx.ValueInfoProto) -> Mapping[str, Any]:
    dims = value.type.tensor_type.shape.dim
    shape = [dim.dim_value or dim.dim_param or OPEN for dim in dims]
    return {"name": value.name, "dtype": _kind(value), "shape": shape}


def _shape(value: onnx.ValueInfoProto) -> str:
    return "x".join(str(side) for side in _told(value)["shape"]) or "one number"


def _kind(value: onnx.ValueInfoProto) -> str:
    """The type of its values, as numpy calls it."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name)
    except KeyError:
        return "unknown"
