"""Rewrite canonical Q/DQ in the form that TensorRT reads and fuses: symmetric, with float biases.

No scale is found anew: each comes from the range that the canonical form carries. The rules are those of
NVIDIA's "Working with Quantized Types" (Q/DQ placement):

* activations int8 with zero point 0: the scale is the larger end of the canonical range by 127
* no pair between a convolution and its activation; a ReLU that the canonical form left to saturation stands
  in the graph again, because a symmetric range no longer cuts at 0
* weights int8 per output channel behind DequantizeLinear (or as float weights behind a Q/DQ pair, which is
  all that TensorRT 8 reads); biases and elementwise constants are float
* of a residual Add's two inputs the one that comes straight from a convolution is not quantized: convolution
  and Add run as one kernel, whose other input is int8
* activations of 16 bits are float: there are no kernels for them
* pixels are cast to float and centered, then quantized once; the logits stay float
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import SHAPE_ONLY
from edgenet.graph.qdq.rescale import quantization_of
from edgenet.graph.qdq.wide import wide_in_float
from edgenet.graph.qparams import INT8, SIGNED, STEPS, Affine

__all__ = ["symmetric_qdq"]

# Where a canonical range that begins at 0 may stand for a ReLU that is not in the graph.
RECTIFIED = ("Conv", "Add", "Mul")


def symmetric_qdq(graph: Graph, float_weights: bool = False, kept: bool = False) -> int:
    """Rewrite a canonical int8 graph in place.

    Args:
        graph: What :func:`edgenet.graph.qdq.insert.insert_qdq` made.
        float_weights: Keep the (rounded) weights as float32 and quantize them inside the graph.
        kept: Whether its scales came with the model: symmetric ones stay, and so does every pair.

    Returns:
        How many pairs were made symmetric or taken out.

    Raises:
        UnsupportedError: Weights have a zero point.
    """
    _check_kernels(graph)
    wide_in_float(graph)
    _float_constants(graph)
    pairs = _pairs(graph)
    for quantize, dequantize, affine in pairs:
        if kept and affine.zero_point == 0:
            continue
        if not kept and affine.zero_point != affine.lowest and _is_unwanted(graph, quantize, dequantize):
            graph.bypass(quantize)
            graph.bypass(dequantize)
        else:
            _symmetric(graph, quantize, dequantize, affine)
    _pixels(graph)
    if float_weights:
        _quantize_weights(graph)
    return len(pairs)


def _check_kernels(graph: Graph) -> None:
    for conv in [node for node in graph.nodes if node.op_type == "Conv"]:
        kernel = graph.producer(conv.input[1])
        if kernel is not None and np.any(graph.constants[kernel.input[2]]):
            raise UnsupportedError(
                f"tensorrt: Conv {conv.name or conv.output[0]!r}: its int8 weights have a zero point, "
                "TensorRT's are symmetric",
                "quantize with symmetric weights, or choose --backend onnxruntime",
            )


def _float_constants(graph: Graph) -> None:
    """Replace every dequantized constant that is not a convolution's kernel by its float value."""
    for node in [node for node in graph.nodes if node.op_type == "DequantizeLinear"]:
        if node.input[0] not in graph.constants:
            continue
        readers = graph.consumers(node.output[0])
        if all(reader.op_type == "Conv" and reader.input[1] == node.output[0] for reader in readers):
            continue
        value = graph.add_constant(f"{node.output[0]}/value", _value(graph, node))
        graph.remove(node)
        graph.redirect(node.output[0], value)


def _value(graph: Graph, node: NodeProto) -> NDArray[np.float32]:
    steps, scale, zero = (graph.constants[name].astype(np.float64) for name in node.input[:3])
    if scale.ndim:
        scale, zero = (item.reshape(-1, *[1] * (steps.ndim - 1)) for item in (scale, zero))
    return np.asarray((steps - zero) * scale, np.float32)


def _pairs(graph: Graph) -> list[tuple[NodeProto, NodeProto, Affine]]:
    """Every QuantizeLinear with its DequantizeLinear and its canonical parameters, in graph order."""
    found = []
    for quantize in [node for node in graph.nodes if node.op_type == "QuantizeLinear"]:
        dequantize = graph.sole_consumer(quantize.output[0])
        if dequantize is None or dequantize.op_type != "DequantizeLinear":
            raise ValueError(f"{quantize.name}: not the canonical form")
        found.append((quantize, dequantize, quantization_of(graph, quantize)))
    return found


def _is_unwanted(graph: Graph, quantize: NodeProto, dequantize: NodeProto) -> bool:
    """Whether a pair of a linear tensor hinders: at the output, before a mere reshape, or conv → Add."""
    name = dequantize.output[0]
    readers = graph.consumers(name)
    if graph.is_output(name) or all(reader.op_type in SHAPE_ONLY for reader in readers):
        return True
    producer = graph.producer(quantize.input[0])
    if producer is None or producer.op_type != "Conv" or len(readers) != 1 or readers[0].op_type != "Add":
        return False
    other = [graph.producer(item) for item in readers[0].input if item != name]
    return bool(other) and other[0] is not None and other[0].op_type == "DequantizeLinear"


def _symmetric(graph: Graph, quantize: NodeProto, dequantize: NodeProto, affine: Affine) -> None:
    source = graph.producer(quantize.input[0])
    if affine.zero_point == affine.lowest and source is not None and source.op_type in RECTIFIED:
        positive = graph.fresh(f"{quantize.input[0]}/relu")
        relu = helper.make_node("Relu", [quantize.input[0]], [positive], name=positive)
        graph.insert(quantize, relu, graph.shape(quantize.input[0]))
        graph.set_input(quantize, 0, positive)
    _rescale(graph, quantize, dequantize, max(-affine.low, affine.high) / affine.highest)


def _rescale(graph: Graph, quantize: NodeProto, dequantize: NodeProto, scale: float) -> None:
    name = f"{quantize.output[0]}/symmetric"
    parts = [
        graph.add_constant(f"{name}_scale", np.array(scale, np.float32)),
        graph.add_constant(f"{name}_zero", np.array(0, np.int8)),
    ]
    for node in (quantize, dequantize):
        graph.set_inputs(node, [node.input[0], *parts])


def _pixels(graph: Graph) -> None:
    """Cast and center the pixels in float; quantize them if a convolution reads them directly.

    Centered at 128 they are int8 values with scale 1 already: nothing is rounded.
    """
    entry = graph.producer("pixels/float")
    if entry is not None and entry.op_type == "Cast":
        return  # they are normalized in float
    if entry is None or entry.op_type != "DequantizeLinear":
        raise ValueError("not a quantized graph: nothing dequantizes the pixels")
    shape = graph.shape("pixels/float")
    zero = int(graph.constants[entry.input[2]].reshape(()))
    readers = graph.consumers("pixels/float")
    cast = helper.make_node(
        "Cast", [entry.input[0]], ["pixels/float"], name="pixels/float", to=TensorProto.FLOAT
    )
    following = graph.following(entry)
    graph.remove(entry)
    graph.insert(following, cast, shape)
    centered = "pixels/float"
    if zero:
        mean = graph.add_constant("pixels/minus_mean", np.full((1, 3, 1, 1), -zero, np.float32))
        centered = "pixels/centered"
        node = helper.make_node("Add", ["pixels/float", mean], [centered], name=centered)
        graph.insert(following, node, shape)
    if any(reader.op_type == "Conv" for reader in readers):
        scale = graph.add_constant(
            "pixels/symmetric_scale", np.array(max(zero / SIGNED, (STEPS - zero) / INT8.max), np.float32)
        )
        none = graph.add_constant("pixels/symmetric_zero", np.array(0, np.int8))
        quantize = helper.make_node(
            "QuantizeLinear", [centered, scale, none], ["pixels/int8"], name="pixels/int8"
        )
        graph.insert(following, quantize, shape)
        dequantize = helper.make_node(
            "DequantizeLinear", ["pixels/int8", scale, none], ["pixels/signed"], name="pixels/signed"
        )
        graph.insert(following, dequantize, shape)
        centered = "pixels/signed"
    for reader in readers:
        graph.exchange(reader, "pixels/float", centered)


def _quantize_weights(graph: Graph) -> None:
    """Store kernels as the float32 values of their int8 steps, behind a Q/DQ pair."""
    for node in [node for node in graph.nodes if node.op_type == "DequantizeLinear"]:
        if node.input[0] not in graph.constants:
            continue
        value = graph.add_constant(f"{node.output[0]}/value", _value(graph, node))
        quantized = graph.fresh(f"{node.output[0]}/int8")
        quantize = helper.make_node("QuantizeLinear", [value, *node.input[1:3]], [quantized], name=quantized)
        quantize.attribute.extend(node.attribute)
        graph.insert(node, quantize, graph.shape(value))
        graph.set_input(node, 0, quantized)
