"""Operators of one tensor, number by number, and those over its channels."""

from __future__ import annotations

import math
from collections.abc import Callable

from edgenet.importers.tflite_file.layout import graph_axis
from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.arithmetic import operand
from edgenet.importers.tflite_file.scope import Scope

__all__ = [
    "bounded", "unary", "write_l2_normalization", "write_leaky_relu", "write_log_softmax", "write_prelu",
    "write_rsqrt", "write_softmax", "write_square",
]  # fmt: skip

SMALLEST_SQUARE = 1e-6  # tensorflow/lite/kernels/internal/reference/l2normalization.h


def unary(kind: str) -> Callable[[Scope, Operator], None]:
    """An operator that ONNX has as it is."""

    def write(scope: Scope, op: Operator) -> None:
        result = scope.emit(kind, [scope.real(op.inputs[0])], scope.result(op))
        scope.finish(op, result, scope.shape(op.inputs[0]))

    return write


def bounded(low: float, high: float) -> Callable[[Scope, Operator], None]:
    """RELU6 and its like → Clip."""

    def write(scope: Scope, op: Operator) -> None:
        result = scope.clipped(scope.real(op.inputs[0]), low, high, scope.result(op))
        scope.finish(op, result, scope.shape(op.inputs[0]))

    return write


def write_leaky_relu(scope: Scope, op: Operator) -> None:
    """LEAKY_RELU → LeakyRelu."""
    alpha = _finite(scope, op, "Alpha", 0.0)
    result = scope.emit("LeakyRelu", [scope.real(op.inputs[0])], scope.result(op), alpha=alpha)
    scope.finish(op, result, scope.shape(op.inputs[0]))


def write_prelu(scope: Scope, op: Operator) -> None:
    """PRELU → PRelu; its slopes broadcast to the picture, which has all axes."""
    shape, slopes = scope.shape(op.inputs[0]), scope.number(op, 1)
    full = (1,) * (len(shape) - slopes.ndim) + slopes.shape
    if len(full) > len(shape) or any(a not in (1, b) for a, b in zip(full, shape, strict=True)):
        raise scope.damaged(op, f"slopes {list(slopes.shape)} for {list(shape)}")
    parts = [scope.real(op.inputs[0]), operand(scope, op, op.inputs[1], len(shape))]
    scope.finish(op, scope.emit("PRelu", parts, scope.result(op)), shape)


def write_rsqrt(scope: Scope, op: Operator) -> None:
    """RSQRT → Sqrt and Reciprocal."""
    name = scope.result(op)
    root = scope.emit("Sqrt", [scope.real(op.inputs[0])], f"{name}/sqrt")
    scope.finish(op, scope.emit("Reciprocal", [root], name), scope.shape(op.inputs[0]))


def write_square(scope: Scope, op: Operator) -> None:
    """SQUARE → Mul with itself."""
    source = scope.real(op.inputs[0])
    scope.finish(op, scope.emit("Mul", [source, source], scope.result(op)), scope.shape(op.inputs[0]))


def write_softmax(scope: Scope, op: Operator) -> None:
    """SOFTMAX over the last axis of the file; ``beta`` times what it reads."""
    name, source, shape = scope.result(op), scope.real(op.inputs[0]), scope.shape(op.inputs[0])
    beta = _finite(scope, op, "Beta", 1.0)
    if beta != 1.0:
        source = scope.emit("Mul", [source, scope.held(beta)], f"{name}/beta")
    result = scope.emit("Softmax", [source], name, axis=graph_axis(len(shape), -1))
    scope.finish(op, result, shape)


def write_log_softmax(scope: Scope, op: Operator) -> None:
    """LOG_SOFTMAX over the last axis of the file."""
    shape = scope.shape(op.inputs[0])
    axis = graph_axis(len(shape), -1)
    scope.finish(op, scope.emit("LogSoftmax", [scope.real(op.inputs[0])], scope.result(op), axis=axis), shape)


def write_l2_normalization(scope: Scope, op: Operator) -> None:
    """L2_NORMALIZATION over the last axis: x / max(sqrt(sum x²), 1e-6), as TFLite's kernel computes it."""
    name, source, shape = scope.result(op), scope.real(op.inputs[0]), scope.shape(op.inputs[0])
    axis = graph_axis(len(shape), -1)
    length = scope.emit("ReduceL2", [source], f"{name}/length", axes=[axis], keepdims=1)
    length = scope.emit("Max", [length, scope.held(SMALLEST_SQUARE)], f"{name}/least")
    scope.finish(op, scope.emit("Div", [source, length], name), shape)


def _finite(scope: Scope, op: Operator, option: str, default: float) -> float:
    value = float(op.options.get(option, default))
    if not math.isfinite(value):
        raise scope.damaged(op, f"{option} is {value}")
    return value
