"""Pooling, and reductions over whole axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgenet.importers.tflite_file.layout import graph_axis
from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.window import window_of
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["pooled", "reduced"]


def pooled(kind: str) -> Callable[[Scope, Operator], None]:
    """AVERAGE_POOL_2D, which does not count what lies outside, and MAX_POOL_2D."""

    def write(scope: Scope, op: Operator) -> None:
        shape = scope.shape(op.inputs[0])
        kernel = int(op.options.get("FilterHeight", 0)), int(op.options.get("FilterWidth", 0))
        window = window_of(scope, op, shape, kernel)
        result = scope.emit(kind, [scope.real(op.inputs[0])], scope.result(op), **window.attributes)
        scope.finish(op, result, (shape[0], *window.made, shape[3]))

    return write


def reduced(kind: str) -> Callable[[Scope, Operator], None]:
    """MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_PROD over constant axes."""

    def write(scope: Scope, op: Operator) -> None:
        shape, name = scope.shape(op.inputs[0]), scope.result(op)
        rank = len(shape)
        axes = sorted({int(axis) % max(rank, 1) for axis in np.ravel(scope.number(op, 1))})
        kept = tuple(1 if axis in axes else side for axis, side in enumerate(shape))
        source = scope.real(op.inputs[0])
        if axes:
            turned = sorted(graph_axis(rank, axis) for axis in axes)
            source = _reduce(scope, kind, source, name, turned)
        if not op.options.get("KeepDims", False):
            left = tuple(side for axis, side in enumerate(shape) if axis not in axes)
            source, kept = scope.reshaped(source, kept, left, f"{name}/flat"), left
        scope.finish(op, source, kept)

    return write


def _reduce(scope: Scope, kind: str, source: str, name: str, axes: list[int]) -> str:
    """Up to opset 17 ReduceSum alone has its axes in an input."""
    if kind == "ReduceSum":
        return scope.emit(kind, [source, scope.held(axes, np.int64)], name, keepdims=1)
    return scope.emit(kind, [source], name, axes=axes, keepdims=1)
