"""Rewrite canonical Q/DQ (S8S8) in the form that a CPU's int8 kernels want; no scale changes.

=====  ===========  =======  ==============================================================
form   activations  weights  for
=====  ===========  =======  ==============================================================
s8s8   int8         int8     Arm, and the canonical form itself
u8s8   uint8        int8     x86 with VNNI (AVX2's ``vpmaddubsw`` saturates with it)
u8u8   uint8        uint8    x86 without VNNI: no intermediate saturation
=====  ===========  =======  ==============================================================

Moving a tensor between int8 and uint8 adds 128 to its values and its zero point and changes nothing real.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.view import Graph

__all__ = ["FORMS", "int8_output", "to_form"]

FORMS = ("s8s8", "u8s8", "u8u8")


def to_form(graph: Graph, form: str) -> None:
    """Rewrite a canonical int8 graph in place; ``form`` is one of ``FORMS``."""
    if form == "s8s8":
        _signed_pixels(graph)
        return
    for node in list(graph.nodes):
        constant = node.input[0] in graph.constants
        if node.op_type == "QuantizeLinear" or (node.op_type == "DequantizeLinear" and not constant):
            _unsigned_zero_point(graph, node)
        elif node.op_type == "DequantizeLinear" and (form == "u8u8" or _is_operand(graph, node)):
            _unsigned_values(graph, node)


def int8_output(graph: Graph) -> tuple[float, int]:
    """Let the graph end in its int8 scores instead of their float values.

    Returns:
        Scale and zero point of the output.
    """
    last = graph.producer(graph.output)
    if last is None or last.op_type != "DequantizeLinear":
        raise ValueError("the graph does not end in a DequantizeLinear")
    scale = float(graph.constants[last.input[1]].reshape(()))
    zero = graph.constants[last.input[2]]
    shift = 128 if zero.dtype == np.uint8 else 0
    zero_point = int(zero.reshape(())) - shift
    if shift:  # scores are int8 in every form, so that backends can be compared
        parts = [last.output[0], last.input[1], _scalar(graph, "scores/zero_point", zero_point, np.int8)]
        last.output[0] = parts[0] = graph.fresh("scores/real")
        graph.insert(None, helper.make_node("QuantizeLinear", parts, [graph.output], name="scores/int8"))
    else:
        graph.bypass(last)
    classes = graph.output_info.type.tensor_type.shape.dim[1].dim_value
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(np.int8))
    graph.output_info = helper.make_tensor_value_info(graph.output, kind, [1, classes])
    return scale, zero_point


def _signed_pixels(graph: Graph) -> None:
    """Let the uint8 pixels become int8 before the first convolution."""
    entry = graph.producer("pixels/float")
    if entry is None:
        raise ValueError("not a quantized graph: nothing dequantizes the pixels")
    zero = int(graph.constants[entry.input[2]].reshape(())) - 128
    shape = graph.shape(entry.output[0])
    parts = [entry.input[1], _scalar(graph, "pixels/signed_zero_point", zero, np.int8)]
    following = graph.nodes[graph.nodes.index(entry) + 1]
    graph.redirect("pixels/float", "pixels/signed")
    quantize = helper.make_node(
        "QuantizeLinear", ["pixels/float", *parts], ["pixels/int8"], name="pixels/int8"
    )
    graph.insert(following, quantize, shape)
    dequantize = helper.make_node(
        "DequantizeLinear", ["pixels/int8", *parts], ["pixels/signed"], name="pixels/signed"
    )
    graph.insert(following, dequantize, shape)


def _unsigned_zero_point(graph: Graph, node: NodeProto) -> None:
    zero = graph.constants[node.input[2]]
    if zero.dtype == np.int8:
        node.input[2] = graph.add_constant(f"{node.input[2]}/u8", _unsigned(zero))


def _unsigned_values(graph: Graph, node: NodeProto) -> None:
    if graph.constants[node.input[0]].dtype != np.int8:
        return
    for index in (0, 2):
        node.input[index] = graph.add_constant(
            f"{node.input[index]}/u8", _unsigned(graph.constants[node.input[index]])
        )


def _is_operand(graph: Graph, node: NodeProto) -> bool:
    """Whether a dequantized constant is an elementwise operand rather than a kernel or bias."""
    return all(reader.op_type in ("Add", "Mul") for reader in graph.consumers(node.output[0]))


def _unsigned(values: NDArray[np.int8]) -> NDArray[np.uint8]:
    return (values.astype(np.int16) + 128).astype(np.uint8)


def _scalar(graph: Graph, name: str, value: int, kind: type) -> str:
    return graph.add_constant(name, np.array(value, kind))
