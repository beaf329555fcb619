"""A model: an ONNX graph and all that is needed to feed and read it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message

from edgenet.card import ModelCard, read_card
from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.labels import read_labels
from edgenet.original.ending import without_logarithm
from edgenet.original.operators import check_operators, with_functions_inlined
from edgenet.original.settle import settled
from edgenet.original.shapes import with_output_shapes
from edgenet.preprocessing import Preprocessing
from edgenet.soundness import check_domains, check_ending, check_inference, check_tensors, check_weights
from edgenet.task import Task, load_task
from edgenet.text import cause

__all__ = ["Model", "content_digest", "is_quantized"]

PROBABILITIES = "probabilities"


@dataclass(frozen=True, repr=False)
class Model:
    """A network as ONNX, with how it is fed and read.

    A quantized model is a ``Model`` too (its graph holds QuantizeLinear / DequantizeLinear), so that
    every pass is ``Model -> Model``.

    Attributes:
        name: Short name, the file's stem.
        proto: The graph: one input [1, 3, H, W] (float32, NCHW), one output [1, values]. After
            :func:`edgenet.graph.passes.prepare` the input is ``pixels``, uint8 [1, H, W, 3], RGB.
        preprocessing: How the network is fed.
        output: What it gives, in its task's words: "logits", "probabilities", "embedding" ….
        label_offset: Output index of class 0.
        labels: Class names, or ``()`` when unknown.
        digest: sha256 of the content, its weights included: see :func:`content_digest`.
        precision: "fp32" or "int8".
        label: Whether artifacts give the best class too, behind the logits.
        task_name: What it is for, see :mod:`edgenet.tasks`.
        settings: What its card says for that task alone.
        kept_scales: Whether its scales came with it, and backends have to keep them.
    """

    name: str
    proto: onnx.ModelProto
    preprocessing: Preprocessing
    output: str
    label_offset: int
    labels: tuple[str, ...]
    digest: str
    precision: str = "fp32"
    label: bool = False
    task_name: str = CLASSIFICATION
    settings: Mapping[str, Any] = field(default_factory=dict)
    kept_scales: bool = False

    def __repr__(self) -> str:
        return f"<Model {self.name} {self.precision}, {self.classes} classes, {self.digest[:12]}>"

    @classmethod
    def load(
        cls, path: Path | str, card: Path | str | None = None, labels: Path | str | None = None
    ) -> Model:
        """Read ``MODEL.onnx`` and the ``MODEL.toml`` beside it.

        Args:
            path: The ONNX file, of any float type or with int8 inside, opset 7 or newer.
            card: The file with ``[preprocessing]``; default is ``path`` with the suffix ``.toml``.
            labels: Class names, see :func:`edgenet.labels.read_labels`.

        Raises:
            ModelError: Not an ONNX file, truncated, of an older opset, with NaN in it, with unexpected shapes
                or operators, without known preprocessing, with labels of another length, or with a card that
                contradicts the graph.
        """
        path = Path(path)
        proto = _read_proto(path)
        found = _find_card(path, Path(card) if card else None)
        if labels:
            found = replace(found, task=replace(found.task, labels=read_labels(Path(labels))))
        return _checked(cls.of(proto, path.stem, content_digest(proto), found), path)

    @classmethod
    def of(cls, proto: onnx.ModelProto, name: str, digest: str, card: ModelCard) -> Model:
        """A model and its card, unchecked."""
        task = card.task
        return cls(
            name=name,
            proto=proto,
            preprocessing=card.preprocessing,
            output=task.output,
            label_offset=task.label_offset,
            labels=task.labels,
            digest=digest,
            task_name=task.name,
            settings=task.settings,
        )

    @classmethod
    def parse(cls, data: bytes, name: str, digest: str, card: ModelCard, where: str) -> Model:
        """Read the bytes of an ONNX file that travelled inside another, all its weights in it.

        Args:
            data: The file.
            name: Of the model.
            digest: Of the file that the user had.
            card: How it is fed and read.
            where: What it stands in, for messages.

        Raises:
            ModelError: As :meth:`load`.
        """
        return _checked(cls.of(_parsed(data, where, None), name, digest, card), Path(where))

    @property
    def classes(self) -> int:
        """Number of values of the output: its classes, a background class included, or its dimensions."""
        return int(self.proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value)

    @property
    def task(self) -> Task:
        """How its answers are read."""
        return load_task(self.task_name)(self.output, self.labels, self.label_offset, self.settings)

    def with_proto(self, proto: onnx.ModelProto, **changes: str) -> Model:
        """The same model around another graph."""
        return replace(self, proto=proto, **changes)  # type: ignore[arg-type]


def content_digest(proto: onnx.ModelProto) -> str:
    """sha256 of a model's content, every weight included.

    It is the same whether the weights lie inside the file or beside it, as raw bytes or as lists of numbers.

    Args:
        proto: The model, external data loaded.
    """
    bare = onnx.ModelProto(**_fields(proto, "graph"))
    bare.graph.CopyFrom(onnx.GraphProto(**_fields(proto.graph, "initializer")))
    for node in bare.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                attribute.t.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(attribute.t)))
    total = hashlib.sha256(bare.SerializeToString(deterministic=True))
    for item in proto.graph.initializer:
        raw = item.raw_data if item.HasField("raw_data") else onnx.numpy_helper.to_array(item).tobytes()
        total.update(f"\0{item.name}\0{item.data_type}\0{list(item.dims)}\0{len(raw)}\0".encode())
        total.update(raw)
    return total.hexdigest()


def is_quantized(proto: onnx.ModelProto) -> bool:
    """Whether a graph computes with integers: Q/DQ, or an operator that quantizes by itself."""
    marks = ("uantize", "QLinear", "QGemm", "Integer")
    return any(mark in node.op_type for node in proto.graph.node for mark in marks)


def _fields(message: Message, but: str) -> dict[str, Any]:
    """The fields of a protobuf that are set, without one of them: a copy of it would copy all weights."""
    return {field.name: value for field, value in message.ListFields() if field.name != but}


def _read_proto(path: Path) -> onnx.ModelProto:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror})", "give the path of an ONNX file"
        ) from None
    return _parsed(data, str(path), path.parent)


def _parsed(data: bytes, where: str, folder: Path | None) -> onnx.ModelProto:
    """A valid model; weights beside it are read from the folder, or refused if there is none."""
    try:
        proto = onnx.load_model_from_string(data)
        if not proto.graph.node:
            raise ModelError(f"{where}: not an ONNX model (no graph in it)", "export the model to ONNX first")
        if folder is not None:
            onnx.load_external_data_for_model(proto, str(folder))
        elif any(onnx.external_data_helper.uses_external_data(item) for item in proto.graph.initializer):
            raise ModelError(f"{where}: weights outside the file", "make the file again")
        proto = with_functions_inlined(proto)
        check_operators(proto, Path(where))
        proto = with_output_shapes(proto)
        onnx.checker.check_model(proto)
    except DecodeError:
        raise ModelError(
            f"{where}: not an ONNX file, or a truncated one", "export the model to ONNX again"
        ) from None
    except (onnx.checker.ValidationError, OSError, ValueError) as error:
        reason = cause(error)
        raise ModelError(f"{where}: not a valid ONNX model ({reason})", "export the model again") from None
    return proto


def _find_card(path: Path, card: Path | None) -> ModelCard:
    beside = path.with_suffix(".toml")
    if card is None and not beside.exists():
        raise ModelError(
            f"{path}: how to feed this model is not known (no {beside.name} beside it)",
            "write that file or give --preprocessing FILE; see docs/preprocessing.md",
        )
    return read_card(card or beside)


def _checked(model: Model, path: Path) -> Model:
    """Every check a file must pass once; what is returned keeps the promises of :class:`Model`."""
    check_tensors(model.proto, path)
    check_domains(model.proto, path)
    proto = settled(model.proto, model.preprocessing, path)
    model = replace(model, proto=proto, preprocessing=model.preprocessing.of_colors())
    if PROBABILITIES in model.task.outputs and without_logarithm(proto):
        model = replace(model, output=PROBABILITIES)
    check_weights(proto, path)
    check_inference(proto, path)
    _check_input(proto, model.preprocessing, path)
    checked = _check_output(replace(model, precision="int8") if is_quantized(proto) else model, path)
    check_ending(checked.proto, model.task, path)
    return checked


def _check_input(proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> None:
    entry = proto.graph.input[0]
    tensor = entry.type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise ModelError(f"{path}: input {entry.name!r} is {kind}", "export a float32 model")
    dims = tensor.shape.dim
    shape = [dim.dim_value or (dim.dim_param or "?") for dim in dims]
    height, width = preprocessing.size
    if shape not in ([1, 3, height, width], [1, height, width, 3]):
        shown = "x".join(map(str, shape))
        raise ModelError(
            f"{path}: input {entry.name!r} is {shown}, its preprocessing makes 1x3x{height}x{width}",
            "correct `size` in [preprocessing] or export with that input shape",
        )


def _check_output(model: Model, path: Path) -> Model:
    task = model.task
    proto = model.proto
    if len(proto.graph.output) != 1:
        told = ", ".join(f"{_maker(proto, item)} {_shape_text(item)}" for item in proto.graph.output)
        entry = model.proto.graph.input[0].name
        raise ModelError(
            f"{path}: {len(proto.graph.output)} outputs ({told}), {task.noun} has one",
            f"keep the one that counts: onnx.utils.extract_model(IN, OUT, [{entry!r}], [NAME])",
        )
    dims = [dim.dim_value for dim in proto.graph.output[0].type.tensor_type.shape.dim]
    if len(dims) == 2 and dims[0] == 0:
        proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = dims[0] = 1
    if len(dims) == 4 and all(dims) and max(dims[2:]) > 1:
        last = proto.graph.output[0]
        raise ModelError(
            f"{path}: output of {_maker(proto, last)} is {_shape_text(last)}, a map and no row of numbers as "
            f"{task.noun} gives",
            "export the network with its global pooling and its last layer (not its features alone)",
        )
    if len(dims) != 2 or dims[0] != 1 or dims[1] < 1:
        last = proto.graph.output[0]
        raise ModelError(
            f"{path}: output of {_maker(proto, last)} is {_shape_text(last)}, {task.noun} gives {task.shape}",
            "pool and flatten the output",
        )
    if wrong := task.check(dims[1]):
        what, remedy = wrong
        raise ModelError(f"{path}: {what}", remedy)
    return replace(model, proto=proto)


def _maker(proto: onnx.ModelProto, value: onnx.ValueInfoProto) -> str:
    """The operator and name of the node that gives an output."""
    node = next((node for node in proto.graph.node if value.name in node.output), None)
    return f"{node.op_type} {(node.name or value.name)!r}" if node is not None else repr(value.name)


def _shape_text(value: onnx.ValueInfoProto) -> str:
    dims = value.type.tensor_type.shape.dim
    return "x".join(str(dim.dim_value or dim.dim_param or "?") for dim in dims)
