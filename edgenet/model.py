"""A model: an ONNX graph and all that is needed to feed and read it."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message

from edgenet.errors import ModelError
from edgenet.preprocessing import ModelCard, Preprocessing, read_card
from edgenet.text import cause

__all__ = ["Model", "content_digest", "read_labels"]

OPSETS = range(11, 24)


@dataclass(frozen=True, repr=False)
class Model:
    """A classifier as ONNX, with its preprocessing and labels.

    A quantized model is a ``Model`` too (its graph holds QuantizeLinear / DequantizeLinear), so that
    every pass is ``Model -> Model``.

    Attributes:
        name: Short name, the file's stem.
        proto: The graph: one input [1, 3, H, W] (float32, NCHW), one output [1, classes]. After
            :func:`edgenet.graph.passes.prepare` the input is ``pixels``, uint8 [1, H, W, 3], RGB.
        preprocessing: How the network is fed.
        output: "logits" or "probabilities".
        label_offset: Output index of class 0.
        labels: Class names, or ``()`` when unknown.
        digest: sha256 of the content, its weights included: see :func:`content_digest`.
        precision: "fp32" or "int8".
        label: Whether artifacts give the best class too, behind the scores.
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

    def __repr__(self) -> str:
        return f"<Model {self.name} {self.precision}, {self.classes} classes, {self.digest[:12]}>"

    @classmethod
    def load(
        cls, path: Path | str, card: Path | str | None = None, labels: Path | str | None = None
    ) -> Model:
        """Read ``MODEL.onnx`` and the ``MODEL.toml`` beside it.

        Args:
            path: The ONNX file, float32, opset 11 to 23.
            card: The file with ``[preprocessing]``; default is ``path`` with the suffix ``.toml``.
            labels: Class names: one a line, or a CSV with ``class_index`` and ``name`` (or ``class_name``).

        Raises:
            ModelError: Not an ONNX file, truncated, of another opset, already quantized, with dynamic or
                unexpected shapes, without known preprocessing, or with labels of another length.
        """
        path = Path(path)
        proto = _read_proto(path)
        described = _find_card(path, Path(card) if card else None)
        model = cls(
            name=path.stem,
            proto=proto,
            preprocessing=described.preprocessing,
            output=described.output,
            label_offset=described.label_offset,
            labels=read_labels(Path(labels)) if labels else described.labels,
            digest=content_digest(proto),
        )
        return _checked(model, path)

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
        proto = _parsed(data, where, None)
        how = (card.preprocessing, card.output, card.label_offset, card.labels)
        return _checked(cls(name, proto, *how, digest), Path(where))

    @property
    def classes(self) -> int:
        """Number of outputs of the network, a background class included."""
        return int(self.proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value)

    @property
    def card(self) -> ModelCard:
        """What a ``MODEL.toml`` of this model would say."""
        return ModelCard("classification", self.output, self.label_offset, self.labels, self.preprocessing)

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


def _fields(message: Message, but: str) -> dict[str, Any]:
    """The fields of a protobuf that are set, without one of them: a copy of it would copy all weights."""
    return {field.name: value for field, value in message.ListFields() if field.name != but}


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names from a text file (one a line) or a CSV (``class_index``, ``name`` or ``class_name``).

    Raises:
        ModelError: The file cannot be read, or its class indices are not 0, 1, 2 ….
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path}: labels cannot be read ({cause(error)})", "give a UTF-8 text or CSV file"
        ) from None
    if "class_index" not in text.partition("\n")[0]:
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    rows = list(csv.DictReader(io.StringIO(text)))
    names = {row["class_index"]: row.get("name") or row.get("class_name") or "" for row in rows}
    if sorted(names, key=lambda index: (len(index), index)) != [str(index) for index in range(len(names))]:
        raise ModelError(f"{path}: class indices are not 0 to {len(names) - 1}", "write one row a class")
    return tuple(names[str(index)] for index in range(len(names)))


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
    proto = model.proto
    opset = next((item.version for item in proto.opset_import if item.domain in ("", "ai.onnx")), 0)
    if opset not in OPSETS:
        raise ModelError(
            f"{path}: opset {opset} is outside {OPSETS[0]} to {OPSETS[-1]}",
            "export with opset 13, or convert with onnx.version_converter",
        )
    if any(
        node.op_type in ("QuantizeLinear", "DequantizeLinear", "QLinearConv") for node in proto.graph.node
    ):
        raise ModelError(f"{path}: already quantized", "give the float32 model; edgenet computes the scales")
    _check_input(proto, model.preprocessing, path)
    return _check_output(model, path)


def _check_input(proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> None:
    constants = {item.name for item in proto.graph.initializer}
    inputs = [item for item in proto.graph.input if item.name not in constants]
    if len(inputs) != 1:
        raise ModelError(f"{path}: {len(inputs)} inputs, a classifier has one", "export the image input only")
    tensor = inputs[0].type.tensor_type
    if tensor.elem_type != onnx.TensorProto.FLOAT:
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise ModelError(f"{path}: input {inputs[0].name!r} is {kind}", "export a float32 model")
    dims = tensor.shape.dim
    if len(dims) == 4 and not dims[0].dim_value:
        dims[0].dim_value = 1  # a free batch size: one frame at a time is what a camera gives
    shape = [dim.dim_value or (dim.dim_param or "?") for dim in dims]
    height, width = preprocessing.size
    if any(isinstance(side, str) for side in shape):
        shown = "x".join(map(str, shape))
        raise ModelError(
            f"{path}: input {inputs[0].name!r} has a dynamic shape ({shown})",
            f"fix it, e.g. python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name "
            f"{inputs[0].name} --input_shape 1,3,{height},{width} IN OUT",
        )
    if shape not in ([1, 3, height, width], [1, height, width, 3]):
        shown = "x".join(map(str, shape))
        raise ModelError(
            f"{path}: input {inputs[0].name!r} is {shown}, its preprocessing makes 1x3x{height}x{width}",
            "correct `size` in [preprocessing] or export with that input shape",
        )


def _check_output(model: Model, path: Path) -> Model:
    try:
        proto = onnx.shape_inference.infer_shapes(model.proto, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        reason = cause(error)
        raise ModelError(f"{path}: shapes do not fit together ({reason})", "export the model again") from None
    if len(proto.graph.output) != 1:
        told = ", ".join(f"{_maker(proto, item)} {_shape_text(item)}" for item in proto.graph.output)
        entry = model.proto.graph.input[0].name
        raise ModelError(
            f"{path}: {len(proto.graph.output)} outputs ({told}), a classifier has one",
            f"keep the class scores: onnx.utils.extract_model(IN, OUT, [{entry!r}], [NAME])",
        )
    dims = [dim.dim_value for dim in proto.graph.output[0].type.tensor_type.shape.dim]
    if len(dims) == 2 and dims[0] == 0:
        proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = dims[0] = 1
    if len(dims) != 2 or dims[0] != 1 or dims[1] < 2:
        last = proto.graph.output[0]
        raise ModelError(
            f"{path}: output of {_maker(proto, last)} is {_shape_text(last)}, a classifier gives 1xCLASSES",
            "pool and flatten the output",
        )
    named = dims[1] - model.label_offset
    if model.labels and len(model.labels) != named:
        raise ModelError(
            f"{path}: {len(model.labels)} labels for {named} classes", "give one label a class, in order"
        )
    return replace(model, proto=proto)


def _maker(proto: onnx.ModelProto, value: onnx.ValueInfoProto) -> str:
    """The operator and name of the node that gives an output."""
    node = next((node for node in proto.graph.node if value.name in node.output), None)
    return f"{node.op_type} {(node.name or value.name)!r}" if node is not None else repr(value.name)


def _shape_text(value: onnx.ValueInfoProto) -> str:
    dims = value.type.tensor_type.shape.dim
    return "x".join(str(dim.dim_value or dim.dim_param or "?") for dim in dims)
