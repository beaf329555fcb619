"""One range of operator sets for all that follows: older graphs are converted, newer ones declared anew."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import NodeProto
from onnx.defs import OpSchema, SchemaError, get_schema, onnx_opset_version

from edgenet.errors import ModelError
from edgenet.text import cause

__all__ = ["OPSETS", "at_known_opset"]

OPSETS = range(11, 24)
OLDEST = 7
ONNX = ("", "ai.onnx")
# The version of the file format that every runtime of a board's age reads.
IR_VERSIONS = range(8, 11)


def at_known_opset(proto: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """The model in an operator set of ``OPSETS``, and a format that runtimes of some years ago read.

    An older one goes through onnx's converter. A newer one is declared to be the last of them where each of
    its operators has the same inputs, outputs and attributes there: newer sets mostly add number types.

    Raises:
        ModelError: It is older than 7, or an operator has another form in the sets that are known.
    """
    found = next((item for item in proto.opset_import if item.domain in ONNX), None)
    version = found.version if found is not None else 0
    if found is None or not OLDEST <= version <= onnx_opset_version():
        raise ModelError(
            f"{path}: opset {version} is outside {OLDEST} to {onnx_opset_version()}",
            "export the model with opset_version=18",
        )
    if version < OPSETS[0]:
        proto = _converted(proto, OPSETS[0], path)
    elif version > OPSETS[-1]:
        changed = next((node for node in proto.graph.node if _differs(node, version)), None)
        if changed is not None:
            raise ModelError(
                f"{path}: {changed.op_type} {changed.name!r} has another form in opset {version} than in "
                f"{OPSETS[-1]}",
                f"export the model with opset_version={OPSETS[-1]}",
            )
        found.version = OPSETS[-1]
    proto.ir_version = min(max(proto.ir_version, IR_VERSIONS[0]), IR_VERSIONS[-1])
    return proto


def _converted(proto: onnx.ModelProto, version: int, path: Path) -> onnx.ModelProto:
    """By onnx's converter."""
    proto.ir_version = max(proto.ir_version, IR_VERSIONS[0])
    try:
        return onnx.version_converter.convert_version(proto, version)
    except (RuntimeError, ValueError, onnx.checker.ValidationError) as error:
        raise ModelError(
            f"{path}: cannot be brought to opset {version} ({cause(error)})",
            "export the model with opset_version=13",
        ) from None


def _differs(node: NodeProto, version: int) -> bool:
    """Whether an operator is told otherwise in the last known set than in this one."""
    if node.domain not in ONNX:
        return False
    try:
        old, new = (get_schema(node.op_type, at) for at in (OPSETS[-1], version))
    except SchemaError:
        return True
    return old.since_version != new.since_version and _form(old) != _form(new)


def _form(schema: OpSchema) -> tuple[object, ...]:
    inputs, outputs = ([item.name for item in part] for part in (schema.inputs, schema.outputs))
    return inputs, outputs, sorted(schema.attributes)
