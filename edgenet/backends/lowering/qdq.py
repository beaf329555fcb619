"""Read Q/DQ: take the pairs out of a graph and keep what they say beside it.

What is left looks like the float graph, with integers for constants; a tensor that has an entry in
the returned table is an integer tensor. Scales are read, never computed.

A node computes in integers where everything it reads is dequantized and all it gives is quantized. Every
other node computes in float: what it reads is dequantized for it, and what others want of it quantized.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from onnx import NodeProto, helper

from edgenet.backends.lowering.file import Quantization
from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qdq.movers import is_nearest
from edgenet.graph.qparams import SIGNED

__all__ = ["DEQUANTIZE", "REQUANTIZE", "RESCALED", "take_qdq"]

REQUANTIZE = "Requantize"
# What is behind the name of a float tensor that becomes int8.
RESCALED = "/rescaled"
DEQUANTIZE = "Dequantize"
ACTIVATIONS = ("Relu", "Clip")
# Operators whose constants are operands like any other, not parameters such as a shape or a bound.
OPERANDS = ("Add", "Conv", "Gemm", "Mul")
# Operators that have no int8 form here.
FLOAT = ("Div", "Elu", "HardSigmoid", "LeakyRelu", "PRelu", "Sigmoid", "Sub", "Tanh")


def take_qdq(graph: Graph, in_float: Collection[str] = ()) -> dict[str, Quantization]:
    """Remove QuantizeLinear and DequantizeLinear in place.

    Args:
        graph: The graph.
        in_float: Operators that compute in float where they stand alone, though they have an int8 form.

    A change of scale between two integer tensors, the step from uint8 pixels to int8, and the step from float
    to int8 become nodes of the type ``Requantize``; the step from int8 to float ``Dequantize``.

    Returns:
        Tensor name → its quantization; empty for a float graph.

    Raises:
        UnsupportedError: A pair is not in the canonical form.
    """
    in_float = (*FLOAT, *in_float)
    whole = {node.output[0] for node in graph.nodes if _is_whole(graph, node, in_float)}
    found: dict[str, Quantization] = {}
    for node in _of(graph, "DequantizeLinear"):
        if node.input[0] in graph.constants:
            _take_constant(graph, node, found, whole)
    for node in _of(graph, "DequantizeLinear"):
        source = graph.producer(node.input[0])
        if source is None or source.op_type != "QuantizeLinear":
            _take_pixels(graph, node, found, whole)
    for node in _of(graph, "QuantizeLinear"):
        _take_pair(graph, node, found, whole)
    return found


def _of(graph: Graph, kind: str) -> list[NodeProto]:
    return [node for node in graph.nodes if node.op_type == kind]


def _is_whole(graph: Graph, node: NodeProto, in_float: Collection[str]) -> bool:
    """Whether a node computes in integers; an activation also where the node before it does."""
    if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
        return False
    name = node.output[0]
    reader = graph.sole_consumer(name)
    if reader is not None and reader.op_type in ACTIVATIONS and node.op_type not in ACTIVATIONS:
        name = reader.output[0]
    if not _is_quantized(graph, name):
        return False
    source = graph.producer(node.input[0])
    if node.op_type in ACTIVATIONS and source is not None and source.op_type != "DequantizeLinear":
        return source.op_type not in ACTIVATIONS and _is_whole(graph, source, in_float)
    blends = node.op_type == "Resize" and not is_nearest(node)  # in float, as every runtime does alike
    return (
        not blends
        and node.op_type not in in_float
        and all(_is_dequantized(graph, node, item) for item in node.input if item)
    )


def _is_quantized(graph: Graph, name: str) -> bool:
    readers = graph.consumers(name)
    return bool(readers) and all(reader.op_type == "QuantizeLinear" for reader in readers)


def _is_dequantized(graph: Graph, node: NodeProto, name: str) -> bool:
    if name in graph.constants:
        return node.op_type not in OPERANDS
    source = graph.producer(name)
    return source is not None and source.op_type == "DequantizeLinear"


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


def _take_constant(graph: Graph, node: NodeProto, found: dict[str, Quantization], whole: set[str]) -> None:
    """Integers stay so for nodes that compute with them, and as the kernel of a float convolution."""
    how, values = _parameters(graph, node), graph.constants[node.input[0]]
    readers = graph.consumers(node.output[0])
    kernel = all(item.op_type == "Conv" and item.input[1] == node.output[0] for item in readers)
    if kernel or all(item.output[0] in whole for item in readers):
        found[node.output[0]] = how
    else:
        shape = [-1 if axis == how.axis and how.scales.size > 1 else 1 for axis in range(values.ndim)]
        steps = values.astype(np.float64) - how.zero_point
        values = (steps * how.scales.reshape(shape)).astype(np.float32)
    graph.constants[node.output[0]] = values
    graph.remove(node)


def _take_pixels(graph: Graph, node: NodeProto, found: dict[str, Quantization], whole: set[str]) -> None:
    """The pixels: uint8 in, int8 for the rest of the graph."""
    pixels = _parameters(graph, node)
    if pixels.dtype != "uint8":
        raise _unsupported(node, f"it reads {pixels.dtype} that nothing quantized")
    found[graph.input] = found[node.input[0]] = pixels
    name = graph.fresh(f"{node.output[0]}/signed")
    found[name] = Quantization("int8", pixels.scales, pixels.zero_point - SIGNED)
    _step(graph, REQUANTIZE, node, node.input[0], name)
    _take_reader(graph, node, name, found, whole)


def _take_pair(graph: Graph, node: NodeProto, found: dict[str, Quantization], whole: set[str]) -> None:
    """X → Q → DQ: X itself is the integer tensor where it is computed as such, else a step is made."""
    name, parameters = node.input[0], _parameters(graph, node)
    if parameters.dtype not in ("int8", "int16") or parameters.scales.size != 1:
        raise _unsupported(node, "activations are int8 or int16 with one scale a tensor")
    source = graph.producer(name)
    if name not in found and source is not None and source.output[0] in whole:
        found[name] = parameters
    elif name not in found or not found[name].same_as(parameters):
        if source is not None and source.output[0] in whole:
            raise _unsupported(node, "its input is quantized twice, with different scales")
        name = graph.fresh(name + RESCALED)
        _step(graph, REQUANTIZE, node, node.input[0], name)
        found[name] = parameters
    readers = graph.consumers(node.output[0])
    graph.remove(node)
    for reader in readers:
        if reader.op_type != "DequantizeLinear" or not _parameters(graph, reader).same_as(found[name]):
            raise _unsupported(reader, f"it does not dequantize {name!r} as it was quantized")
        name = _take_reader(graph, reader, name, found, whole)


def _take_reader(
    graph: Graph, node: NodeProto, name: str, found: dict[str, Quantization], whole: set[str]
) -> str:
    """Remove a DequantizeLinear: who computes in integers reads ``name``, who does not a float of it.

    Returns:
        The integer tensor's name, which is the output's where the graph ends there.
    """
    real = str(node.output[0])
    if graph.is_output(real):
        graph.remove(node)
        found[real] = found.pop(name)
        graph.redirect(real, name)  # the tensor takes the output's name
        return real
    readers = graph.consumers(real)
    for reader in readers:
        if reader.output[0] in whole or reader.op_type == "QuantizeLinear":
            graph.exchange(reader, real, name)
    if graph.consumers(real):
        _step(graph, DEQUANTIZE, node, name, real)
    graph.remove(node)
    return name


def _step(graph: Graph, kind: str, before: NodeProto, source: str, name: str) -> None:
    """A node between two number formats."""
    label = f"{before.name or name}/{kind.lower()}"
    graph.insert(before, helper.make_node(kind, [source], [name], name=label), graph.shape(before.input[0]))


def _unsupported(node: NodeProto, reason: str) -> UnsupportedError:
    return UnsupportedError(
        f"tflite: {node.op_type} {node.name or node.output[0]!r}: {reason}",
        "quantize the float model with edgenet",
    )
