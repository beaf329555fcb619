"""Activations: fused into the operator before them where TFLite can, else operators of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from onnx import NodeProto

from edgenet.backends.lowering.scope import ELSEWHERE, IMAGE_RANK, Scope
from edgenet.errors import UnsupportedError
from edgenet.graph.graph import attributes

__all__ = [
    "CURVES",
    "fused",
    "lower_clip",
    "lower_curve",
    "lower_hard_sigmoid",
    "lower_hard_swish",
    "lower_prelu",
    "lower_softmax",
]

# Bounds of a clip → TFLite's activation, also the name of the operator that does only that.
FUSED = {(0.0, math.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}
# Curves that int8 kernels read from tables of their own rounding.
CURVES = {"Elu": "ELU", "LeakyRelu": "LEAKY_RELU", "Sigmoid": "LOGISTIC", "Tanh": "TANH"}
SOFTMAX_SCALE, SOFTMAX_ZERO_POINT = 1 / 256, -128  # required by TFLite's 8-bit quantization specification


def fused(scope: Scope, node: NodeProto) -> tuple[str, str]:
    """Which tensor an operator writes, and its fused activation ("NONE" if there is none).

    A Relu or Clip that alone reads the node's output becomes part of it; in an int8 graph only when
    nothing is rounded between the two, that is, when the output has no scale of its own.
    """
    name = node.output[0]
    reader = scope.graph.sole_consumer(name)
    if reader is None or reader.op_type not in ("Relu", "Clip") or name in scope.quantization:
        return name, "NONE"
    kind = FUSED.get(bounds(scope, reader))
    if kind is None and scope.is_whole(node):
        raise _no_clip(scope, reader)
    if kind is None:
        return name, "NONE"
    scope.fused.add(reader.output[0])
    return reader.output[0], kind


def bounds(scope: Scope, node: NodeProto) -> tuple[float, float]:
    """Lower and upper bound of a Relu or Clip.

    Raises:
        UnsupportedError: A bound is computed while the model runs.
    """
    if node.op_type == "Relu":
        return 0.0, math.inf
    limits = [-math.inf, math.inf]
    for position, name in enumerate(node.input[1:3]):
        if name:
            limits[position] = float(scope.weights(node, position + 1).reshape(-1)[0])
    return limits[0], limits[1]


def lower_clip(scope: Scope, node: NodeProto) -> None:
    """Relu and Clip → RELU, RELU6, RELU_N1_TO_1, or MAXIMUM and MINIMUM (float only)."""
    limits = bounds(scope, node)
    source = scope.input(node, node.input[0])
    if limits in FUSED:
        scope.emit(FUSED[limits], (source,), scope.output(node, node.output[0]))
        return
    if scope.is_whole(node):
        raise _no_clip(scope, node)
    for code, limit, last in (
        ("MAXIMUM", limits[0], math.isinf(limits[1])),
        ("MINIMUM", limits[1], True),
    ):
        if math.isfinite(limit):
            source = _limit(scope, node, source, code, limit, last)
    if not any(map(math.isfinite, limits)):
        scope.alias(node.output[0], source)


def _no_clip(scope: Scope, node: NodeProto) -> UnsupportedError:
    """The error for a Clip in int8 that no operator does; the caller raises it."""
    return scope.refuse(node, f"int8 Clip to {bounds(scope, node)} has no TFLite operator", ELSEWHERE)


def lower_hard_swish(scope: Scope, node: NodeProto) -> None:
    """HardSwish → HARD_SWISH, x * relu6(x + 3) / 6 in both."""
    source = scope.input(node, node.input[0])
    scope.emit("HARD_SWISH", (source,), scope.output(node, node.output[0]), ("HardSwishOptions", {}))


def lower_hard_sigmoid(scope: Scope, node: NodeProto) -> None:
    """HardSigmoid → MUL, ADD with RELU6, MUL, in float: clip(a x + b, 0, 1) = relu6(6 a x + 6 b) / 6."""
    options = attributes(node)
    alpha, beta = options.get("alpha", 0.2), options.get("beta", 0.5)
    name, value = node.name or node.output[0], scope.input(node, node.input[0])
    shape = scope.tensor(value).shape
    if not math.isclose(6 * alpha, 1.0, rel_tol=1e-6):
        value = _with(scope, "MUL", value, 6 * alpha, scope.like(value, f"{name}/scaled", shape))
    value = _with(scope, "ADD", value, 6 * beta, scope.like(value, f"{name}/raised", shape), "RELU6")
    _with(scope, "MUL", value, 1 / 6, scope.output(node, node.output[0]))


def lower_curve(scope: Scope, node: NodeProto) -> None:
    """Sigmoid → LOGISTIC, Tanh → TANH, Elu → ELU, LeakyRelu → LEAKY_RELU, each computed in float."""
    source, given = scope.input(node, node.input[0]), attributes(node)
    options: tuple[str, dict[str, Any]] | None = None
    if node.op_type == "LeakyRelu":
        options = ("LeakyReluOptions", {"alpha": float(given.get("alpha", 0.01))})
    elif given.get("alpha", 1.0) != 1.0:
        raise scope.refuse(node, f"its alpha is {given['alpha']:.3g}", ELSEWHERE)
    scope.emit(CURVES[node.op_type], (source,), scope.output(node, node.output[0]), options)


def lower_prelu(scope: Scope, node: NodeProto) -> None:
    """PRelu with a slope for each channel, or one for all → PRELU, computed in float."""
    slope, channels = scope.weights(node, 1), scope.graph.shape(node.input[0])[1]
    if slope.size not in (1, channels):
        raise scope.refuse(node, "its slope varies over the picture", ELSEWHERE)
    source = scope.input(node, node.input[0])
    shape = (1, 1, channels) if len(scope.graph.shape(node.input[0])) == IMAGE_RANK else (channels,)
    alpha = np.broadcast_to(slope.reshape(-1), (channels,)).reshape(shape)
    held = scope.constant(f"{node.output[0]}/slope", np.ascontiguousarray(alpha))
    scope.emit("PRELU", (source, held), scope.output(node, node.output[0]))


def lower_softmax(scope: Scope, node: NodeProto) -> None:
    """Softmax over the last axis of a [1, classes] tensor → SOFTMAX."""
    shape = scope.graph.shape(node.input[0])
    axis = int(attributes(node).get("axis", -1 if scope.graph.opset >= 13 else 1))
    if len(shape) != 2 or axis not in (-1, 1):
        raise scope.refuse(node, f"axis {axis} of shape {shape}", ELSEWHERE)
    made = scope.quantization.get(node.output[0])
    if made is not None and (made.scale, made.zero_point) != (SOFTMAX_SCALE, SOFTMAX_ZERO_POINT):
        raise scope.refuse(
            node, "int8 Softmax needs scale 1/256 and zero point -128", "end the model in logits"
        )
    source = scope.input(node, node.input[0])
    scope.emit("SOFTMAX", (source,), scope.output(node, node.output[0]), ("SoftmaxOptions", {"beta": 1.0}))


def _limit(scope: Scope, node: NodeProto, source: int, code: str, limit: float, last: bool) -> int:
    name = f"{node.name or node.output[0]}/{code.lower()}"
    number = scope.constant(f"{name}/of", np.array([limit], np.float32))
    shape = scope.tensor(source).shape
    out = scope.output(node, node.output[0]) if last else scope.like(source, name, shape)
    scope.emit(code, (source, number), out, ("MaximumMinimumOptions", {}))
    return out


def _with(scope: Scope, code: str, source: int, value: float, out: int, activation: str = "NONE") -> int:
    """``source`` op a number → ``out``, which is returned."""
    number = scope.constant(f"{scope.tensor(out).name}/by", np.array([value], np.float32))
    options = (f"{code.capitalize()}Options", {"fusedActivationFunction": activation})
    scope.emit(code, (source, number), out, options)
    return out
