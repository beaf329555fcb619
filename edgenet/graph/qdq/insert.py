"""Write scales into a graph as QuantizeLinear / DequantizeLinear (Q/DQ): the canonical int8 form.

Activations are int8, per tensor, asymmetric (or int16, symmetric); weights int8, per channel, symmetric;
biases int32. A backend turns this one form into its own dialect without computing a scale again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_normalization import PIXELS
from edgenet.graph.qdq.movers import moves
from edgenet.graph.qdq.rescale import rescale_bias
from edgenet.graph.qparams import LARGEST_WEIGHT, Affine, Int8Weights

__all__ = ["activations", "clip_bounds", "insert_qdq", "insert_weights", "set_weights"]

ACTIVATIONS = ("Relu", "Clip")
ENTRY = ("Cast",)


def activations(graph: Graph) -> list[str]:
    """The tensors that need an int8 range of their own, in graph order.

    Not among them: a convolution's result that only an activation reads (the two run as one operator),
    the pixels, and tensors that have the scale of what they are made from.
    """
    names = []
    for node in graph.nodes:
        reader = graph.sole_consumer(node.output[0])
        fused = node.op_type == "Conv" and reader is not None and reader.op_type in ACTIVATIONS
        if not fused and not moves(node) and node.op_type not in ENTRY:
            names.append(node.output[0])
    return names


def insert_qdq(
    graph: Graph,
    tensors: Mapping[str, Affine],
    weights: Mapping[str, Int8Weights],
    pixel_zero_point: int | None,
) -> int:
    """Quantize a prepared float graph in place.

    Args:
        graph: The graph.
        tensors: Parameters of the tensors that :func:`activations` names; one that is missing stays
            float.
        weights: Output name of a Conv → its int8 weights; one that is missing stays float.
        pixel_zero_point: Zero point of the uint8 pixels (see ``whole_mean``), or ``None`` when the mean is
            subtracted by an Add of its own.

    Returns:
        How many activations and kernels are integers.

    Raises:
        UnsupportedError: An operator has a constant operand that has no int8 form here.
    """
    params = dict(tensors)
    for conv in [node for node in graph.nodes if node.output[0] in weights]:
        _quantize_weights(graph, conv, weights[conv.output[0]])
    _dequantize_pixels(graph, params, pixel_zero_point)
    for node in [node for node in graph.nodes if node.op_type in ACTIVATIONS]:
        _drop_if_implied(graph, node, params)
    for node in list(graph.nodes):
        if moves(node) and node.input[0] in params:
            params[node.output[0]] = params[node.input[0]]
    for node in list(graph.nodes):
        if node.output[0] in params:
            _quantize_operand(graph, node)
            _quantize_output(graph, node, params[node.output[0]])
    return len(params) + len(weights)


def insert_weights(
    graph: Graph, weights: Mapping[str, Int8Weights], biases: Mapping[str, NDArray[np.float32]]
) -> int:
    """Put int8 kernels into a float graph in place: activations and biases stay float.

    Args:
        graph: The graph.
        weights: Output name of a Conv → its int8 weights, of which the bias is not used.
        biases: Output name of a Conv → its real bias.

    Returns:
        How many kernels are int8.
    """
    convs = [node for node in graph.nodes if node.output[0] in weights]
    for conv in convs:
        own = weights[conv.output[0]]
        kernel = _dequantized(graph, conv, conv.input[1], own.values, own.scales, np.int8(0))
        bias = graph.add_constant(f"{conv.input[2]}/corrected", biases[conv.output[0]])
        graph.set_inputs(conv, [conv.input[0], kernel, bias])
    return len(convs)


def set_weights(graph: Graph, real: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> int:
    """Give convolutions, by their output, another float kernel and bias, in place; returns how many."""
    convs = [node for node in graph.nodes if node.output[0] in real]
    for conv in convs:
        for index, value in enumerate(real[conv.output[0]], 1):
            graph.set_input(conv, index, graph.add_constant(f"{conv.input[index]}/adapted", value))
    return len(convs)


def _quantize_weights(graph: Graph, conv: NodeProto, weights: Int8Weights) -> None:
    source, kernel, bias = conv.input[:3]
    kernel = _dequantized(graph, conv, kernel, weights.values, weights.scales, np.int8(0))
    bias = _dequantized(graph, conv, bias, weights.bias, weights.bias_scales, np.int32(0))
    graph.set_inputs(conv, [source, kernel, bias])


def _dequantize_pixels(graph: Graph, params: dict[str, Affine], zero_point: int | None) -> None:
    """Replace Cast (and the Add of a whole mean) by a DequantizeLinear of the pixels."""
    cast = graph.producer("pixels/float")
    if cast is None:
        raise ValueError(f"not a prepared graph: {PIXELS!r} is not cast to float")
    centered = graph.sole_consumer("pixels/float")
    if zero_point is not None and centered is not None and centered.op_type == "Add":
        observed = params.pop(centered.output[0], None)
        graph.remove(centered)
        graph.redirect(centered.output[0], "pixels/float")
        if observed is not None:  # pixels are their own steps, whatever range was seen of them
            for conv in graph.consumers("pixels/float"):
                rescale_bias(graph, conv, 1.0 / observed.scale)
    scale = graph.add_constant("pixels/scale", np.array(1.0, np.float32))
    zero = graph.add_constant("pixels/zero_point", np.array(zero_point or 0, np.uint8))
    node = helper.make_node(
        "DequantizeLinear", [cast.input[0], scale, zero], ["pixels/float"], name="pixels/float"
    )
    graph.insert(cast, node, graph.shape("pixels/float"))
    graph.remove(cast)


def clip_bounds(graph: Graph, clip: NodeProto) -> tuple[float, float]:
    """The two limits of a Clip; infinite where there is none."""
    limits = [graph.constant(name) for name in clip.input[1:3]]
    values = [None if value is None else float(value.reshape(-1)[0]) for value in limits] + [None, None]
    return -np.inf if values[0] is None else values[0], np.inf if values[1] is None else values[1]


def _drop_if_implied(graph: Graph, node: NodeProto, params: dict[str, Affine]) -> None:
    """Remove an activation that the int8 range of its result already enforces by saturating."""
    affine = params.get(node.output[0])
    if affine is None:
        return
    low, high = 0.0, np.inf
    if node.op_type == "Clip":
        low, high = clip_bounds(graph, node)
    slack = affine.scale * 1e-3
    if affine.low >= low - slack and affine.high <= high + slack:
        params[node.input[0]] = params.pop(node.output[0])
        graph.bypass(node)


def _quantize_operand(graph: Graph, node: NodeProto) -> None:
    """Give a constant operand of an elementwise operator an int8 form of its own."""
    if node.op_type not in ("Add", "Mul"):
        return
    for index, name in enumerate(list(node.input)):
        values = graph.constant(name)
        if values is None:
            continue
        largest = float(np.abs(values).max())
        if not np.isfinite(largest):
            raise UnsupportedError(f"{node.op_type} {node.name!r} has an infinite operand", "check the model")
        scale = np.float32(largest / LARGEST_WEIGHT or 1.0)
        rounded = np.round(values / scale).astype(np.int8)
        real = _dequantized(graph, node, name, rounded, np.asarray(scale), np.int8(0))
        graph.set_input(node, index, real)


def _quantize_output(graph: Graph, node: NodeProto, affine: Affine) -> None:
    """Put a Q/DQ pair behind a node; its readers (or the graph's output) take the dequantized value."""
    name = node.output[0]
    shape = graph.shape(name)
    scale = graph.add_constant(f"{name}/scale", np.array(affine.scale, np.float32))
    zero = graph.add_constant(f"{name}/zero_point", np.array(affine.zero_point, affine.dtype))
    following = graph.following(node)
    quantized, real = graph.fresh(f"{name}/int{affine.bits}"), graph.fresh(f"{name}/real")
    if graph.is_output(name):
        source, real = graph.fresh(f"{name}/float"), name
        graph.set_output(node, 0, source)
    else:
        graph.redirect(name, real)
        source = name
    parts, domain = [scale, zero], affine.domain
    quantize = helper.make_node(
        "QuantizeLinear", [source, *parts], [quantized], name=quantized, domain=domain
    )
    graph.insert(following, quantize, shape)
    dequantize = helper.make_node(
        "DequantizeLinear", [quantized, *parts], [real], name=f"{real}/dq", domain=domain
    )
    graph.insert(following, dequantize, shape)


def _dequantized(
    graph: Graph, reader: NodeProto, name: str, values: NDArray[Any], scales: NDArray[Any], zero: Any
) -> str:
    """Keep integers behind a DequantizeLinear (per axis 0 where scales has one); its real name."""
    quantized = graph.add_constant(f"{name}/int", values)
    scale = graph.add_constant(f"{name}/scale", scales)
    zeros = graph.add_constant(f"{name}/zero_point", np.full(scales.shape, zero, zero.dtype))
    real = graph.fresh(f"{name}/real")
    node = helper.make_node("DequantizeLinear", [quantized, scale, zeros], [real], name=f"{real}/dq")
    if scales.ndim:
        node.attribute.append(helper.make_attribute("axis", 0))
    graph.insert(reader, node, values.shape)
    return real
