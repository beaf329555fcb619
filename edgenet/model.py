"""A model: an ONNX graph and all that is needed to feed and read it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import Message

from edgenet.card import ModelCard, read_card
from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.importer import Imported, find_importer
from edgenet.labels import read_labels
from edgenet.notebook import Shown
from edgenet.onnx_file import check_graph, parse_onnx, read_onnx
from edgenet.original.ending import without_logarithm
from edgenet.original.operators import check_operators, picks_boxes
from edgenet.original.quantized_input import as_its_scale_says
from edgenet.original.settle import settled
from edgenet.preprocessing import Preprocessing
from edgenet.soundness import check_domains, check_ending, check_inference, check_tensors, check_weights
from edgenet.task import Task, load_task

__all__ = ["Model", "content_digest", "is_quantized", "read_onnx"]

PROBABILITIES = "probabilities"


@dataclass(frozen=True, repr=False)
class Model(Shown):
    """A network as ONNX, with how it is fed and read.

    A quantized model is a ``Model`` too (its graph holds QuantizeLinear / DequantizeLinear), so that
    every pass is ``Model -> Model``.

    Attributes:
        name: Short name, the file's stem.
        proto: The graph: one input [1, 3, H, W] (float32, NCHW), one output [1, values]. After
            :func:`edgenet.graph.passes.prepare` the input is ``pixels``, uint8 [1, H, W, 3], RGB, and there
            may be several outputs, which follow one another in an answer.
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
        notes: What was left out of the file when it was read, one sentence each.

    Examples:
        >>> edgenet.Model.load("mobilenet.onnx")  # with mobilenet.toml beside it
        <Model mobilenet fp32, 10 classes, ...>
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
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Model {self.name} {self.precision}, {self.classes} classes, {self.digest[:12]}>"

    def _title(self) -> str:
        return f"{self.name} {self.precision}"

    def _rows(self) -> Mapping[str, Any]:
        fed = {name: value for name, value in self.preprocessing.to_table().items() if value is not None}
        known = {
            "task": self.task_name,
            "gives": f"{self.output}, {self.classes} values",
            "labels": self.labels,
        }
        return {**known, "preprocessing": fed, "digest": self.digest[:12], "notes": self.notes}

    @classmethod
    def load(
        cls,
        path: Path | str,
        card: ModelCard | Path | str | None = None,
        labels: Path | str | None = None,
    ) -> Model:
        """Read ``MODEL.onnx``, or another form of it, and the ``MODEL.toml`` beside it.

        Args:
            path: The ONNX file, of any float type or with int8 inside, opset 7 or newer; or a file in
                one of the forms of :mod:`edgenet.importers`.
            card: The card, or its file with ``[preprocessing]``; default is ``path`` with the suffix
                ``.toml``.
            labels: Class names, see :func:`edgenet.labels.read_labels`.

        Raises:
            ModelError: No such file, truncated, of an older opset, with NaN in it, with unexpected shapes
                or operators, without known preprocessing, with labels of another length, or with a card that
                contradicts the graph.
        """
        path = Path(path)
        read = find_importer(path)
        proto = read_onnx(path) if read is None else onnx.ModelProto()
        found = card if isinstance(card, ModelCard) else _find_card(path, Path(card) if card else None)
        if read is not None:
            return cls.imported(read(path, found.preprocessing.size), path.stem, found, labels, path)
        return cls.imported(Imported(proto), path.stem, found, labels, path)

    @classmethod
    def imported(
        cls,
        found: Imported,
        name: str,
        card: ModelCard,
        labels: Path | str | None = None,
        path: Path | None = None,
    ) -> Model:
        """A network with its card, checked.

        Args:
            found: The network as ONNX, as it was read.
            name: Of the model.
            card: How it is fed and read.
            labels: A file of class names, in place of the card's.
            path: Where it was read from, for messages; the name where it was not.

        Raises:
            ModelError: As :meth:`load`.
        """
        if labels:
            card = replace(card, task=replace(card.task, labels=read_labels(Path(labels))))
        made = cls.of(found.proto, name, content_digest(found.proto), card)
        return replace(_checked(made, path or Path(name), found.one), notes=found.notes)

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
        return _checked(cls.of(parse_onnx(data, where, None), name, digest, card), Path(where))

    @property
    def classes(self) -> int:
        """Number of values of an answer: its classes, a background class included, or its dimensions.

        Those of several heads follow one another.
        """
        return sum(self.heads)

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of values of each output."""
        given = self.proto.graph.output
        return tuple(int(item.type.tensor_type.shape.dim[1].dim_value) for item in given)

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


def _find_card(path: Path, card: Path | None) -> ModelCard:
    beside = path.with_suffix(".toml")
    if card is None and not beside.exists():
        raise ModelError(
            f"{path}: how to feed this model is not known (no {beside.name} beside it)",
            f"run edgenet init {path}, which writes it",
        )
    return read_card(card or beside)


def _checked(model: Model, path: Path, one: str = "") -> Model:
    """Every check a file must pass once; what is returned keeps the promises of :class:`Model`."""
    check_tensors(model.proto, path)
    check_domains(model.proto, path)
    model = replace(model, preprocessing=as_its_scale_says(model.proto, model.preprocessing))
    model = _joined(model, path)
    proto = settled(model.proto, model.preprocessing, path)
    model = replace(model, proto=proto, preprocessing=model.preprocessing.of_colors())
    if PROBABILITIES in model.task.outputs and without_logarithm(proto):
        model = replace(model, output=PROBABILITIES)
    check_weights(proto, path)
    check_inference(proto, path)
    _check_input(proto, model.preprocessing, path)
    checked = _check_output(replace(model, precision="int8") if is_quantized(proto) else model, path, one)
    check_ending(checked.proto, model.task, path)
    return checked


def _joined(model: Model, path: Path) -> Model:
    """With one output, where the task takes several; what is then left holds only what a runtime knows."""
    picked = picks_boxes(model.proto)
    task = model.task.joined(model.proto, model.preprocessing, path)
    if picked:  # what was left unread when the file was
        check_graph(model.proto, str(path))
    check_operators(model.proto, path)
    return replace(model, output=task.output, settings=task.settings)


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


def _check_output(model: Model, path: Path, one: str) -> Model:
    task = model.task
    proto = model.proto
    if len(proto.graph.output) != 1:
        told = ", ".join(f"{_maker(proto, item)} {_shape_text(item)}" for item in proto.graph.output)
        entry = model.proto.graph.input[0].name
        raise ModelError(
            f"{path}: {len(proto.graph.output)} outputs ({told}), {task.noun} has one",
            one or f"keep the one that counts: onnx.utils.extract_model(IN, OUT, [{entry!r}], [NAME])",
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
