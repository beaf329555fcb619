"""Normalization that stands in the network itself becomes one with that of its card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import NodeProto, TensorProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.preprocessing import Preprocessing

__all__ = ["take_normalization"]

CHANNELS, IMAGE_RANK = 3, 4
UNITY = 1e-6


def take_normalization(graph: Graph, preprocessing: Preprocessing) -> Preprocessing:
    """Remove the Mul, Add, Cast to float and exchange of red and blue behind an NCHW input, in place.

    They may stand behind the Transpose of an NHWC input too. Keras's Rescaling, Normalization and
    ``preprocess_input`` are such, also several in a row. For x = (pixel - mean) / std,

        a x + b = (pixel - (mean - b std / a)) / (std / a).

    Returns:
        In place of a count how the network that is left is fed: mean and std in which all of them are.
    """
    _name_exchange(graph)
    while (node := _first(graph)) is not None:
        taken = _taken(graph, node, preprocessing)
        if taken is None:
            break
        preprocessing = taken
        graph.bypass(node)
    return preprocessing


def _name_exchange(graph: Graph) -> None:
    """Write a Concat of the picture's single channels, as tf2onnx has ``[..., ::-1]``, as a Gather."""
    source = graph.input
    turned = graph.sole_consumer(source)
    if turned is not None and turned.op_type == "Transpose":
        source = turned.output[0]
    parts = graph.consumers(source)
    joined = [graph.sole_consumer(node.output[0]) for node in parts]
    concat = joined[0] if joined else None
    if concat is None or concat.op_type != "Concat" or any(item is not concat for item in joined):
        return
    chosen = [_channel(graph, graph.producer(name)) for name in concat.input]
    if (
        attributes(concat).get("axis") not in (1, -3)
        or None in chosen
        or graph.shape(source)[1:2] != (CHANNELS,)
    ):
        return
    indices = graph.add_constant(f"{concat.output[0]}/indices", np.array(chosen, np.int64))
    gather = helper.make_node("Gather", [source, indices], [concat.output[0]], name=concat.name, axis=1)
    graph.insert(concat, gather, graph.shape(concat.output[0]))
    for node in (concat, *parts):
        graph.remove(node)


def _channel(graph: Graph, node: NodeProto | None) -> int | None:
    """Which channel a Slice takes, if it takes one."""
    if node is None or node.op_type != "Slice" or len(node.input) != 4:
        return None
    held = [graph.constant(name) for name in node.input[1:]]
    if any(value is None or value.size != 1 for value in held):
        return None
    start, end, axis = (int(value.item()) for value in held if value is not None)
    return start if (axis, end) == (1, start + 1) else None


def _first(graph: Graph) -> NodeProto | None:
    """The node that alone reads the picture, if it can be taken out."""
    node = graph.sole_consumer(graph.input)
    if node is not None and node.op_type == "Transpose":
        node = graph.sole_consumer(node.output[0])
    if node is not None and _averages(graph, node):
        node = graph.sole_consumer(node.output[0])
    return node if node is not None and graph.can_bypass(node) else None


def _averages(graph: Graph, node: NodeProto) -> bool:
    """Whether it weighs the colors to one gray: what scales and shifts the gray does so to the colors."""
    if node.op_type != "Conv":
        return False
    weights, *bias = (graph.constant(name) for name in node.input[1:])
    return (
        weights is not None
        and all(value is not None and not value.any() for value in bias)
        and weights.shape == (1, CHANNELS, 1, 1)
        and abs(float(weights.sum(dtype=np.float64)) - 1.0) < UNITY
    )


def _taken(graph: Graph, node: NodeProto, preprocessing: Preprocessing) -> Preprocessing | None:
    """How the tensor behind a node is made from pixels; ``None`` if the node is none of these."""
    shape = graph.shape(node.output[0])
    read = next((name for name in node.input if name not in graph.constants), "")
    height, width = preprocessing.size
    pictures = ((1, 1, height, width), (1, CHANNELS, height, width))
    if shape not in pictures or graph.shape(read) != shape:
        return None
    if node.op_type == "Cast":
        return preprocessing if attributes(node)["to"] == TensorProto.FLOAT else None
    if node.op_type in ("Gather", "Slice"):
        return _exchanged(graph, node, preprocessing)
    return _scaled(graph, node, preprocessing) if node.op_type in ("Mul", "Add") else None


def _scaled(graph: Graph, node: NodeProto, preprocessing: Preprocessing) -> Preprocessing | None:
    """Times or plus one number a channel, or one for all; the constant is put second in the node."""
    constants = [value for name in node.input if (value := graph.constant(name)) is not None]
    if len(constants) != 1 or constants[0].ndim > IMAGE_RANK:
        return None
    full = (
        constants[0].astype(np.float64).reshape((1,) * (IMAGE_RANK - constants[0].ndim) + constants[0].shape)
    )
    if full.shape not in ((1, 1, 1, 1), (1, CHANNELS, 1, 1)) or (node.op_type == "Mul" and not np.all(full)):
        return None
    by = np.broadcast_to(full.reshape(-1), (CHANNELS,))
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    if node.op_type == "Add":
        mean = mean - by * std
    else:
        std = std / by
    if node.input[0] in graph.constants:
        graph.set_inputs(node, reversed(node.input))
    (a, b, c), (d, e, f) = mean.tolist(), std.tolist()
    return replace(preprocessing, mean=(a, b, c), std=(d, e, f))


def _exchanged(graph: Graph, node: NodeProto, preprocessing: Preprocessing) -> Preprocessing | None:
    """RGB ↔ BGR: a Gather of channels 2, 1, 0 or a Slice that walks back."""
    held = [graph.constant(name) if name else None for name in node.input[1:]]
    if node.op_type == "Gather":
        indices = held[0]
        axis = attributes(node).get("axis", 0) % 4
        turned = indices is not None and (indices % CHANNELS).tolist() == [2, 1, 0]
    else:
        if len(held) != 4 or any(value is None or value.size != 1 for value in held):
            return None
        start, end, axis, step = (int(value.item()) for value in held if value is not None)
        axis %= 4
        turned = step == -1 and (start == -1 or start >= CHANNELS - 1) and end < -CHANNELS
    if not turned or axis != 1:
        return None
    color = "bgr" if preprocessing.color == "rgb" else "rgb"
    red, green, blue = preprocessing.mean
    first, second, third = preprocessing.std
    return replace(preprocessing, color=color, mean=(blue, green, red), std=(third, second, first))
