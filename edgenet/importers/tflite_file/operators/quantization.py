"""QUANTIZE, DEQUANTIZE and CAST: numbers that become others and mean the same."""

from __future__ import annotations

from onnx import TensorProto

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["write_cast", "write_dequantize", "write_quantize"]


def write_quantize(scope: Scope, op: Operator) -> None:
    """QUANTIZE, from float or from other bytes."""
    scope.finish(op, scope.real(op.inputs[0]), scope.shape(op.inputs[0]))


def write_dequantize(scope: Scope, op: Operator) -> None:
    """DEQUANTIZE: the real values are there already."""
    if scope.whole(op.inputs[0]) is None and not scope.is_wide(op.inputs[0]):
        kind = scope.tensor(op.inputs[0]).kind
        raise scope.refuse(op, f"it reads {kind} numbers", ELSEWHERE)
    scope.alias(op, scope.shape(op.inputs[0]))


def write_cast(scope: Scope, op: Operator) -> None:
    """CAST of the picture's own bytes to float."""
    source, made = scope.tensor(op.inputs[0]), scope.tensor(op.outputs[0])
    if made.kind != "FLOAT32" or source.index not in scope.network.inputs or source.affine is not None:
        raise scope.refuse(op, f"from {source.kind} to {made.kind}", ELSEWHERE)
    result = scope.emit("Cast", [scope.real(source.index)], scope.result(op), to=TensorProto.FLOAT)
    scope.finish(op, result, scope.shape(source.index))
