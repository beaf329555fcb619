"""The chain rule, an operator at a time: from the gradient of an output to that of an input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import NodeProto

from edgenet.graph.gradient.convolution import conv_gradient
from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.gradient.interpolation import interpolation
from edgenet.graph.graph import attributes
from edgenet.graph.qdq.insert import clip_bounds

__all__ = ["RULES", "Rule", "has_rule"]

# Emitter, node, gradient of its output, index of the input → gradient of that input.
Rule = Callable[[Emitter, NodeProto, str, int], str]


def _add(emit: Emitter, node: NodeProto, grad: str, index: int) -> str:
    return emit.summed_to(grad, emit.shape(node.input[index]))


def _mul(emit: Emitter, node: NodeProto, grad: str, index: int) -> str:
    return emit.summed_to(emit.times(grad, node.input[1 - index]), emit.shape(node.input[index]))


def _clip(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    low, high = clip_bounds(emit.graph, node)
    if np.isfinite(low):
        grad = emit.choose(emit.above(node.input[0], low), grad)
    return emit.choose(emit.below(node.input[0], high), grad) if np.isfinite(high) else grad


def _relu(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    return emit.choose(emit.above(node.input[0], 0.0), grad)


def _leaky(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    slope = emit.constant(attributes(node).get("alpha", 0.01)) if len(node.input) == 1 else node.input[1]
    return emit.choose(emit.above(node.input[0], 0.0), grad, emit.times(grad, slope))


def _reshaped(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    return emit.reshape(grad, emit.shape(node.input[0]))


def _mean(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    shape = emit.shape(node.input[0])
    share = emit.times(grad, emit.constant(1.0 / (shape[2] * shape[3])))
    return emit.node("Expand", [share, emit.constant(shape, np.int64)], shape)


def _hard_swish(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    """Nothing below -3, x / 3 + 1 / 2 up to 3, then 1."""
    source = node.input[0]
    slope = emit.plus(emit.times(source, emit.constant(1 / 3)), emit.constant(0.5))
    inside = emit.choose(emit.below(source, 3.0), emit.times(grad, slope), grad)
    return emit.choose(emit.above(source, -3.0), inside)


def _hard_sigmoid(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    options = attributes(node)
    slope, offset = options.get("alpha", 0.2), options.get("beta", 0.5)
    inside = emit.choose(emit.above(node.input[0], -offset / slope), grad)
    inside = emit.choose(emit.below(node.input[0], (1 - offset) / slope), inside)
    return emit.times(inside, emit.constant(slope))


def _sigmoid(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    own = node.output[0]
    rest = emit.node("Sub", [emit.constant(1.0), own], emit.shape(own))
    return emit.times(grad, emit.times(own, rest))


def _concat(emit: Emitter, node: NodeProto, grad: str, index: int) -> str:
    axis = attributes(node)["axis"] % len(emit.shape(grad))
    sizes = [emit.shape(name)[axis] for name in node.input]
    begin = sum(sizes[:index])
    places = [emit.constant([item], np.int64) for item in (begin, begin + sizes[index], axis)]
    return emit.node("Slice", [grad, *places], emit.shape(node.input[index]))


def _transpose(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    back = np.argsort(attributes(node)["perm"]).tolist()
    return emit.node("Transpose", [grad], emit.shape(node.input[0]), perm=back)


def _pad(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    """Cut off what was added; fewer than none of it adds zeros."""
    pads = emit.constant(-emit.graph.constants[node.input[1]], np.int64)
    return emit.node("Pad", [grad, pads], emit.shape(node.input[0]))


def _resize(emit: Emitter, node: NodeProto, grad: str, _: int) -> str:
    """Rows and columns are mixed apart from each other: by the same matrices, turned."""
    rows, columns = interpolation(emit.graph, node)
    shape = emit.shape(node.input[0])
    tall = emit.node("MatMul", [emit.constant(rows.T), grad], (*shape[:3], emit.shape(grad)[3]))
    return emit.node("MatMul", [tall, emit.constant(columns)], shape)


def has_rule(node: NodeProto) -> bool:
    """Whether the gradient of an operator is known here."""
    plain = node.op_type != "Pad" or attributes(node).get("mode", b"constant") == b"constant"
    return node.op_type in RULES and plain


RULES: dict[str, Rule] = {
    "Add": _add,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": conv_gradient,
    "Flatten": _reshaped,
    "GlobalAveragePool": _mean,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "LeakyRelu": _leaky,
    "Mul": _mul,
    "PRelu": _leaky,
    "Pad": _pad,
    "Relu": _relu,
    "Reshape": _reshaped,
    "Resize": _resize,
    "Sigmoid": _sigmoid,
    "Squeeze": _reshaped,
    "Transpose": _transpose,
}
