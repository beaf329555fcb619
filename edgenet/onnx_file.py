"""ONNX files: read whole, checked as onnx does, functions inlined, shapes inferred."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from edgenet.errors import ModelError
from edgenet.files import read_regular
from edgenet.original.operators import (
    check_operators,
    check_texts,
    is_known,
    picks_boxes,
    with_functions_inlined,
)
from edgenet.original.shapes import with_output_shapes
from edgenet.soundness import check_tensors
from edgenet.text import cause

__all__ = ["MAX_BYTES", "check_graph", "parse_onnx", "read_onnx"]

MAX_BYTES = 2 << 30  # protobuf takes no more


def read_onnx(path: Path) -> onnx.ModelProto:
    """A valid ONNX file, with the weights beside it, as it is.

    Raises:
        ModelError: Not an ONNX file, truncated, or with operators that no board has.
    """
    try:
        data = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror})", "give the path of an ONNX file"
        ) from None
    return parse_onnx(data, str(path), path.parent)


def parse_onnx(data: bytes, where: str, folder: Path | None) -> onnx.ModelProto:
    """A valid model; weights beside it are read from the folder, or refused if there is none.

    Raises:
        ModelError: As :func:`read_onnx`.
    """
    try:
        proto = onnx.load_model_from_string(data)
        if not proto.graph.node:
            raise ModelError(f"{where}: not an ONNX model (no graph in it)", "export the model to ONNX first")
        if folder is not None:
            onnx.load_external_data_for_model(proto, str(folder))
        elif any(onnx.external_data_helper.uses_external_data(item) for item in proto.graph.initializer):
            raise ModelError(f"{where}: weights outside the file", "make the file again")
        check_texts(proto, where)
        proto = with_functions_inlined(proto)
        if picks_boxes(proto):  # that is cut off first, and the rest checked then
            check_tensors(proto, where)
            _check_nodes(proto)
        else:
            proto = check_graph(proto, where)
    except DecodeError:
        raise ModelError(
            f"{where}: not an ONNX file, or a truncated one", "export the model to ONNX again"
        ) from None
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise _invalid(where, error) from None
    return proto


def _check_nodes(proto: onnx.ModelProto) -> None:
    """Each of ONNX's operators by itself has the inputs and attributes that it must have."""
    context = onnx.checker.C.CheckerContext()
    context.ir_version = proto.ir_version
    context.opset_imports = {item.domain: item.version for item in proto.opset_import}
    for node in proto.graph.node:
        if is_known(node) and not any(item.type == onnx.AttributeProto.GRAPH for item in node.attribute):
            onnx.checker.check_node(node, context)


def check_graph(proto: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """The model with shapes for its outputs, of operators that ONNX knows, and valid as onnx checks it.

    Raises:
        ModelError: It is not.
    """
    check_operators(proto, Path(where))
    try:
        proto = with_output_shapes(proto)
        onnx.checker.check_model(proto)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        raise _invalid(where, error) from None
    return proto


def _invalid(where: str, error: Exception) -> ModelError:
    return ModelError(f"{where}: not a valid ONNX model ({cause(error)})", "export the model again")
