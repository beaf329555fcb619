"""Read canonical Q/DQ: take the pairs out of a graph and keep what they say beside it.

What is left looks like the float graph, with whole numbers for constants; a tensor that has an entry in
the returned table is an integer tensor. Scales are read, never computed.
"""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper

from edgenet.backends.lowering.file import Quantization
from edgenet.errors import UnsupportedError
from edgenet.graph.view import Graph, attributes

__all__ = ["REQUANTIZE", "take_qdq"]

REQUANTIZE = "Requantize"
SIGNED = 128  # int8 = uint8 - 128, value and zero point alike


def take_qdq(graph: Graph) -> dict[str, Quantization]:
    """Remove QuantizeLinear and DequantizeLinear in place.

    A change of scale between two integer tensors, and the step from uint8 pixels to int8, become nodes of
    the type ``Requantize``.

    Returns:
        Tensor name → its quantization; empty for a float graph.

    Raises:
        UnsupportedError: A pair is not in the canonical form.
    """
    found: dict[str, Quantization] = {}
    for node in _of(graph, "DequantizeLinear"):
        if node.input[0] in graph.constants:
            _take_constant(graph, node, found)
    for node in _of(graph, "DequantizeLinear"):
        source = graph.producer(node.input[0])
        if source is None or source.op_type != "QuantizeLinear":
            _take_pixels(graph, node, found)
    for node in _of(graph, "QuantizeLinear"):
        source = graph.producer(node.input[0])
        if source is not None and source.op_type == "DequantizeLinear":
            _keep_rescaling(graph, node, found)
    pairs = _of(graph, "QuantizeLinear")
    for node in pairs:
        if any(reader.op_type != "QuantizeLinear" for reader in graph.consumers(node.input[0])):
            raise _unsupported(node, "its input is read as float too")
    for node in pairs:
        _take_pair(graph, node, found)
    return found


def _of(graph: Graph, kind: str) -> list[NodeProto]:
    return [node for node in graph.nodes if node.op_type == kind]


def _parameters(graph: Graph, node: NodeProto) -> Quantization:
    """What the scale and zero point of a Q or DQ node say."""
    scales, zero = graph.constant(node.input[1]), None
    if len(node.input) > 2:
        zero = graph.constant(node.input[2])
    if scales is None or zero is None:
        raise _unsupported(node, "its scale or zero point is not a constant")
    if len(np.unique(zero)) != 1:
        raise _unsupported(node, "its channels have different zero points")
    axis = int(attributes(node).get("axis", 1)) if scales.size > 1 else 0
    return Quantization(
        str(zero.dtype), scales.reshape(-1).astype(np.float32), int(zero.reshape(-1)[0]), axis
    )


def _take_constant(graph: Graph, node: NodeProto, found: dict[str, Quantization]) -> None:
    found[node.output[0]] = _parameters(graph, node)
    graph.constants[node.output[0]] = graph.constants[node.input[0]]
    graph.remove(node)


def _take_pixels(graph: Graph, node: NodeProto, found: dict[str, Quantization]) -> None:
    """The pixels: uint8 in, int8 for the rest of the graph."""
    pixels = _parameters(graph, node)
    if pixels.dtype != "uint8":
        raise _unsupported(node, f"it reads {pixels.dtype} that nothing quantized")
    found[graph.input] = found[node.input[0]] = pixels
    found[node.output[0]] = Quantization("int8", pixels.scales, pixels.zero_point - SIGNED)
    _replace(graph, node, node.input[0], node.output[0])


def _keep_rescaling(graph: Graph, node: NodeProto, found: dict[str, Quantization]) -> None:
    """DQ → Q: the same numbers on another scale."""
    parameters = _parameters(graph, node)
    name = graph.fresh(f"{node.output[0]}/rescaled")
    readers = graph.consumers(node.output[0])
    _replace(graph, node, node.input[0], name)
    found[name] = parameters
    _take_readers(graph, readers, name, found)


def _take_pair(graph: Graph, node: NodeProto, found: dict[str, Quantization]) -> None:
    """X → Q → DQ: X itself is the integer tensor."""
    name, parameters = node.input[0], _parameters(graph, node)
    if parameters.dtype != "int8" or parameters.scales.size != 1:
        raise _unsupported(node, "activations are int8 with one scale a tensor")
    if name in found and not found[name].same_as(parameters):
        raise _unsupported(node, "its input is quantized twice, with different scales")
    found[name] = parameters
    readers = graph.consumers(node.output[0])
    graph.remove(node)
    _take_readers(graph, readers, name, found)


def _take_readers(graph: Graph, readers: list[NodeProto], name: str, found: dict[str, Quantization]) -> None:
    """Remove the DequantizeLinear nodes behind an integer tensor; who reads them reads ``name``."""
    for reader in readers:
        if reader.op_type != "DequantizeLinear" or not _parameters(graph, reader).same_as(found[name]):
            raise _unsupported(reader, f"it does not dequantize {name!r} as it was quantized")
        graph.remove(reader)
        if reader.output[0] == graph.output:
            found[graph.output] = found[name]
            graph.redirect(graph.output, name)  # the tensor takes the output's name
            name = graph.output
        else:
            graph.redirect(reader.output[0], name)


def _replace(graph: Graph, node: NodeProto, source: str, name: str) -> None:
    shape = graph.shape(node.input[0])
    graph.insert(node, helper.make_node(REQUANTIZE, [source], [name], name=node.name), shape)
    graph.remove(node)


def _unsupported(node: NodeProto, reason: str) -> UnsupportedError:
    return UnsupportedError(
        f"tflite: {node.op_type} {node.name or node.output[0]!r}: {reason}",
        "quantize the float model with edgenet",
    )
