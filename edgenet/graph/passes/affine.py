"""Scales and offsets by constants: one form for all of them, folded into the layers beside them.

Batch normalization, Sub, Div and Neg by a constant are Mul and Add; a Mul or Add of one number a channel is
part of the convolution or dense layer before it, or of the convolution behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes

__all__ = ["fold_affines", "name_affines", "pads"]

IMAGE_RANK = 4
CHANNELS = 1  # the axis
Into = Callable[[Graph, NodeProto, NDArray[np.float64]], bool]
FLATTENING = ("Flatten", "Reshape", "Squeeze")


def name_affines(graph: Graph) -> int:
    """Write what multiplies or adds constants as Mul and Add, in place; a BatchNormalization as both.

    Returns:
        How many nodes were rewritten or, where they change nothing, removed.
    """
    return sum(_name(graph, node) for node in graph.nodes)


def fold_affines(graph: Graph) -> int:
    """Fold Mul and Add by one number a channel into the layers beside them, in place.

    Into a Conv or a dense layer before it always; into one behind it a Mul always, an Add where that does not
    pad, because a padded zero would have to be the offset.

    Returns:
        How many nodes are gone.
    """
    folded = sum(_fold(graph, node, _fold_back) for node in graph.nodes)
    return folded + sum(_fold(graph, node, _fold_on) for node in reversed(graph.nodes))


def _fold(graph: Graph, node: NodeProto, into: Into) -> bool:
    by = _per_channel(graph, node) if node.op_type in ("Mul", "Add") else None
    return by is not None and into(graph, node, by)


def _name(graph: Graph, node: NodeProto) -> bool:
    if node.op_type == "BatchNormalization":
        return _name_batchnorm(graph, node)
    if node.op_type == "Neg":
        return _as(graph, node, [("Mul", np.array(-1.0))])
    if node.op_type in ("Mul", "Add"):
        return _drop_neutral(graph, node)
    return node.op_type in ("Sub", "Div") and _name_inverse(graph, node)


def _name_inverse(graph: Graph, node: NodeProto) -> bool:
    """x - c = x + (-c), x / c = x (1 / c) and c - x = -x + c; c / x is none of these."""
    first, second = (_real(graph, name) for name in node.input)
    if second is not None and node.input[0] not in graph.constants:
        if node.op_type == "Sub":
            return _as(graph, node, [("Add", -second)])
        return bool(np.all(second)) and _as(graph, node, [("Mul", 1.0 / second)])
    if node.op_type == "Div" or first is None or node.input[1] in graph.constants:
        return False
    graph.set_inputs(node, [node.input[1], node.input[0]])
    return _as(graph, node, [("Mul", np.array(-1.0)), ("Add", first)])


def _real(graph: Graph, name: str) -> NDArray[np.float64] | None:
    values = graph.constant(name)
    return values.astype(np.float64) if values is not None and values.dtype.kind == "f" else None


def _name_batchnorm(graph: Graph, node: NodeProto) -> bool:
    """With k = gamma / sqrt(variance + epsilon): k x + (beta - k mean)."""
    held = [graph.constant(name) for name in node.input[1:5]]
    rank = len(graph.shape(node.input[0]))
    used = any(graph.consumers(name) for name in node.output[1:])
    if rank < 2 or used or any(value is None for value in held):
        return False
    gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in held)
    factor = gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
    shape = (1, -1, *[1] * (rank - 2))
    graph.set_inputs(node, node.input[:1])
    return _as(graph, node, [("Mul", factor.reshape(shape)), ("Add", (beta - mean * factor).reshape(shape))])


def _as(graph: Graph, node: NodeProto, steps: list[tuple[str, NDArray[np.float64]]]) -> bool:
    """Write a node as these operators one after the other, each by a constant."""
    source, name = node.input[0], node.name or node.output[0]
    for number, (kind, values) in enumerate(steps, 1):
        last = number == len(steps)
        out = node.output[0] if last else graph.fresh(f"{node.output[0]}/{kind.lower()}")
        by = graph.add_constant(f"{name}/{kind.lower()}_by", values.astype(np.float32))
        label = name if last else out
        made = helper.make_node(kind, [source, by], [out], name=label)
        graph.insert(node, made, graph.shape(node.output[0]))
        source = out
    graph.remove(node)
    return True


def _drop_neutral(graph: Graph, node: NodeProto) -> bool:
    """Times one, plus zero: nothing, where no shape grows by it."""
    for index in (0, 1):
        values = graph.constant(node.input[index])
        if values is None or not np.all(values == (node.op_type == "Mul")):
            continue
        other = node.input[1 - index]
        shape = graph.shape(other)
        if other in graph.constants or not shape or shape != graph.shape(node.output[0]):
            continue
        graph.set_inputs(node, [other, node.input[index]])
        if graph.can_bypass(node):
            graph.bypass(node)
            return True
    return False


def _per_channel(graph: Graph, node: NodeProto) -> NDArray[np.float64] | None:
    """The constant operand [channels], put second in the node; ``None`` where it varies along other axes."""
    shape = graph.shape(node.output[0])
    for index in (0, 1):
        values, other = graph.constant(node.input[index]), node.input[1 - index]
        if values is None or other in graph.constants:
            continue
        if len(shape) < 2 or shape != graph.shape(other) or values.ndim > len(shape):
            return None
        full = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
        if any(side != 1 for axis, side in enumerate(full.shape) if axis != CHANNELS):
            return None
        graph.set_inputs(node, [other, node.input[index]])
        return np.broadcast_to(full.reshape(-1), (shape[CHANNELS],)).astype(np.float64)
    return None


def _fold_back(graph: Graph, node: NodeProto, by: NDArray[np.float64]) -> bool:
    """Into the layer that alone is read."""
    layer = _sole_producer(graph, node.input[0])
    if layer is not None and layer.op_type in FLATTENING:
        source = graph.shape(layer.input[0])
        if len(source) != IMAGE_RANK or source[2:] != (1, 1) or source[1] != len(by):
            return False
        layer = _sole_producer(graph, layer.input[0])
    held = _weights(graph, layer, len(by))
    if layer is None or held is None:
        return False
    kernel, bias, outputs = held
    if node.op_type == "Mul":
        kernel = kernel * by.reshape([-1 if axis == outputs else 1 for axis in range(kernel.ndim)])
        bias = bias * by
    else:
        bias = bias + by
    _rewrite(graph, layer, kernel, bias)
    graph.bypass(node)
    return True


def _fold_on(graph: Graph, node: NodeProto, by: NDArray[np.float64]) -> bool:
    """Into the layer that alone reads it."""
    layer = graph.sole_consumer(node.output[0])
    held = _weights(graph, layer) if layer is not None and layer.input[0] == node.output[0] else None
    if layer is None or held is None:
        return False
    kernel, bias, outputs = held
    if layer.op_type == "Conv":
        # The inputs that each output reads: [outputs, inputs a group].
        groups = int(attributes(layer).get("group", 1))
        read = np.repeat(by.reshape(groups, -1), len(kernel) // groups, axis=0)[:, :, None, None]
    else:
        read = by.reshape((1, -1) if outputs == 0 else (-1, 1))
    if node.op_type == "Add" and layer.op_type == "Conv" and pads(layer):
        return False
    if node.op_type == "Add":
        bias = bias + (kernel * read).sum(axis=tuple(axis for axis in range(kernel.ndim) if axis != outputs))
    else:
        kernel = kernel * read
    _rewrite(graph, layer, kernel, bias)
    graph.bypass(node)
    return True


def _weights(
    graph: Graph, layer: NodeProto | None, outputs: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
    """Kernel and bias [outputs] of a Conv or dense layer, and the kernel's axis of outputs.

    ``None`` for any other node, for weights that are computed, and where there are not ``outputs`` of them.
    """
    if layer is None or layer.op_type not in ("Conv", "Gemm", "MatMul"):
        return None
    if not all(name in graph.constants for name in layer.input[1:] if name):
        return None
    kernel, axis = graph.constants[layer.input[1]].astype(np.float64), 0
    if layer.op_type != "Conv":
        axis = 0 if attributes(layer).get("transB", 0) else 1
        if not _is_plain(layer) or kernel.ndim != 2 or len(graph.shape(layer.output[0])) != 2:
            return None
    count = kernel.shape[axis]
    bias = np.zeros(count)
    if len(layer.input) > 2 and layer.input[2]:
        given = graph.constants[layer.input[2]].astype(np.float64)
        bias = np.broadcast_to(given.reshape(-1), (count,))
    return (kernel, bias, axis) if outputs in (0, count) else None


def pads(conv: NodeProto) -> bool:
    """Whether a convolution reads beyond the border."""
    options = attributes(conv)
    return any(options.get("pads", [])) or options.get("auto_pad", b"NOTSET") in (
        b"SAME_UPPER",
        b"SAME_LOWER",
    )


def _is_plain(dense: NodeProto) -> bool:
    options = attributes(dense)
    scales = options.get("alpha", 1.0), options.get("beta", 1.0)
    return scales == (1.0, 1.0) and not options.get("transA", 0)


def _sole_producer(graph: Graph, name: str) -> NodeProto | None:
    return graph.producer(name) if graph.sole_consumer(name) is not None else None


def _rewrite(graph: Graph, layer: NodeProto, kernel: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
    name = layer.name or layer.output[0]
    if layer.op_type == "MatMul":
        layer.op_type = "Gemm"  # which has a bias
    parts = {"kernel": kernel, "bias": bias}
    own = [
        graph.add_constant(f"{name}/scaled_{part}", np.ascontiguousarray(values, np.float32))
        for part, values in parts.items()
    ]
    graph.set_inputs(layer, [layer.input[0], *own])
