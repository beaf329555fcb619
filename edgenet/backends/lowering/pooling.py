"""GlobalAveragePool, GlobalMaxPool, AveragePool and MaxPool."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from onnx import NodeProto

from edgenet.backends.lowering.activation import fused
from edgenet.backends.lowering.file import Tensor
from edgenet.backends.lowering.rescaling import QUANTIZE, dequantized, emit_on_one_scale
from edgenet.backends.lowering.scope import ELSEWHERE, Scope
from edgenet.backends.lowering.window import pad_pixels, window_of
from edgenet.graph.graph import attributes

__all__ = ["lower_global_average", "lower_global_maximum", "lower_pool"]

CODES = {"AveragePool": "AVERAGE_POOL_2D", "MaxPool": "MAX_POOL_2D"}


def lower_global_average(scope: Scope, node: NodeProto) -> None:
    """GlobalAveragePool → MEAN over height and width, dimensions kept."""
    source = scope.input(node, node.input[0])
    axes = scope.constant(f"{node.output[0]}/axes", np.array([1, 2], np.int32))
    out = scope.output(node, node.output[0])
    scope.emit("MEAN", (source, axes), out, ("ReducerOptions", {"keepDims": True}))


def lower_global_maximum(scope: Scope, node: NodeProto) -> None:
    """GlobalMaxPool → REDUCE_MAX over height and width, dimensions kept."""
    source = scope.input(node, node.input[0])
    axes = scope.constant(f"{node.output[0]}/axes", np.array([1, 2], np.int32))
    options = ("ReducerOptions", {"keepDims": True})
    emit_on_one_scale(scope, node, node.output[0], "REDUCE_MAX", (source, axes), options)


def lower_pool(scope: Scope, node: NodeProto) -> None:
    """AveragePool → AVERAGE_POOL_2D, MaxPool → MAX_POOL_2D.

    TFLite leaves padded pixels out of the maximum and out of the count of an average. Where pads are not
    TFLite's own, a maximum is padded explicitly with the lowest number, an average that counts padded zeros
    with them.

    An int8 average is computed in float: TFLite's own rounds it twice, first to the scale of its input, where
    a mean of four is a half every fourth time.
    """
    options = attributes(node)
    if len(node.output) > 1:
        raise scope.refuse(node, "it also gives the indices of the maxima", ELSEWHERE)
    if any(step != 1 for step in options.get("dilations", ())):
        raise scope.refuse(node, "its window is dilated", ELSEWHERE)
    height, width = options["kernel_shape"]
    window = window_of(scope, node, (int(height), int(width)))
    padded = any((*window.before, *window.after))
    counted = bool(options.get("count_include_pad", 0)) and node.op_type == "AveragePool" and padded
    if counted and options.get("ceil_mode", 0):
        raise scope.refuse(node, "it counts pads and rounds its size up", ELSEWHERE)
    source = scope.input(node, node.input[0])
    if counted:
        window = replace(window, padding=None)
        source = pad_pixels(scope, node, source, window)
    elif window.padding is None and node.op_type == "MaxPool":
        source = pad_pixels(scope, node, source, window, lowest=True)
    elif window.padding is None:
        raise scope.refuse(
            node,
            f"pads {(*window.before, *window.after)} that it does not count",
            ELSEWHERE,
        )
    name, activation = fused(scope, node)
    fields = {
        **window.options,
        "filterHeight": window.kernel[0],
        "filterWidth": window.kernel[1],
        "fusedActivationFunction": activation,
    }
    if node.op_type == "AveragePool" and scope.tensor(source).quantization is not None:
        _average_in_float(scope, node, name, source, fields)
    else:
        emit_on_one_scale(scope, node, name, CODES[node.op_type], (source,), ("Pool2DOptions", fields))


def _average_in_float(scope: Scope, node: NodeProto, name: str, source: int, fields: dict[str, Any]) -> None:
    out = scope.output(node, name)
    real = scope.file.add(Tensor(f"{name}/float", scope.tensor(out).shape, "float32"))
    scope.emit("AVERAGE_POOL_2D", (dequantized(scope, source),), real, ("Pool2DOptions", fields))
    scope.emit("QUANTIZE", (real,), out, QUANTIZE)
