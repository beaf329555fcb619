"""Rewrite canonical Q/DQ (S8S8) in the form that a CPU's int8 kernels want; no scale changes.

=====  ===========  =======  ==============================================================
form   activations  weights  for
=====  ===========  =======  ==============================================================
s8s8   int8         int8     Arm, and the canonical form itself
u8s8   uint8        int8     x86 with VNNI (AVX2's ``vpmaddubsw`` saturates with it)
u8x8   uint8        both     x86 without VNNI: int8 kernels that cannot saturate, others uint8
u8u8   uint8        uint8    any x86, slowly: no kernel can saturate
=====  ===========  =======  ==============================================================

What can saturate is decided pair by pair (:mod:`edgenet.graph.qdq.lanes`).
No kernel has activations of 16 bits: they are floats in every form.
Moving a tensor between int8 and uint8 adds 128 to its values and its zero point and changes nothing real.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qdq.lanes import fits
from edgenet.graph.qdq.wide import wide_in_float
from edgenet.graph.qparams import SIGNED, Affine, OutputScales

__all__ = ["QDQ_FORMATS", "int8_outputs", "may_saturate", "to_qdq_format"]

QDQ_FORMATS = ("s8s8", "u8s8", "u8x8", "u8u8")


def to_qdq_format(graph: Graph, form: str) -> int:
    """Rewrite a canonical int8 graph in place; ``form`` is one of ``FORMS``.

    Returns:
        How many nodes were rewritten or put in.
    """
    changed = wide_in_float(graph) + _guard_float_convolutions(graph)
    if form == "s8s8":
        return changed + _signed_pixels(graph)
    for node in list(graph.nodes):
        constant = node.input[0] in graph.constants
        if node.op_type == "QuantizeLinear" or (node.op_type == "DequantizeLinear" and not constant):
            changed += _unsigned_zero_point(graph, node)
        elif node.op_type == "DequantizeLinear" and _wants_unsigned(graph, node, form):
            changed += _unsigned_values(graph, node)
    return changed


def int8_outputs(graph: Graph) -> OutputScales | None:
    """Let the graph end in its int8 scores instead of their float values, in place.

    Returns:
        In place of a count how each output is read; ``None`` where the last layer of one is float: then all
        outputs stay so.
    """
    makers = [graph.producer(name) for name in graph.outputs]
    last = [node for node in makers if node is not None and node.op_type == "DequantizeLinear"]
    if len(last) < len(makers):
        return None
    pairs = zip(list(graph.outputs), last, strict=True)
    return OutputScales(tuple(_int8_output(graph, name, node) for name, node in pairs))


def _int8_output(graph: Graph, output: str, last: NodeProto) -> Affine:
    scale = float(graph.constants[last.input[1]].reshape(()))
    zero = graph.constants[last.input[2]]
    shift = SIGNED if zero.dtype == np.uint8 else 0
    zero_point = int(zero.reshape(())) - shift
    if shift:  # scores are int8 in every form, so that backends can be compared
        parts = [last.output[0], last.input[1], _scalar(graph, "scores/zero_point", zero_point, np.int8)]
        parts[0] = graph.fresh("scores/real")
        graph.set_output(last, 0, parts[0])
        label = graph.fresh(f"{output}/scores")
        graph.insert(None, helper.make_node("QuantizeLinear", parts, [output], name=label))
    else:
        graph.bypass(last)
    values = graph.outputs[output].type.tensor_type.shape.dim[1].dim_value
    scores = helper.make_tensor_value_info(output, TensorProto.INT8, [1, values])
    graph.replace_graph_output(output, scores)
    return Affine(scale, zero_point)


def may_saturate(graph: Graph) -> bool:
    """Whether a graph in one of these forms has kernels that would saturate on an x86 without VNNI."""
    return any(
        node.op_type == "DequantizeLinear"
        and node.input[0] in graph.constants
        and not _is_operand(graph, node)
        and _may_saturate(graph, node)
        for node in graph.nodes
    )


def _guard_float_convolutions(graph: Graph) -> int:
    """Keep ONNX Runtime from rounding float weights by itself.

    Its optimizer rounds the float kernel of a convolution that stands between DequantizeLinear and
    QuantizeLinear, one scale for all channels (seen in 1.31 and 1.32, level "basic"). Since 1.32 it looks
    through a Clip, which it may also remove. A Max between the convolution and the QuantizeLinear stops it; a
    quarter of a step inside the range it changes no int8 value.
    """
    guarded = 0
    for node in [node for node in graph.nodes if node.op_type == "Conv" and node.input[1] in graph.constants]:
        after = graph.sole_consumer(node.output[0])
        if after is None or after.op_type != "QuantizeLinear":
            continue
        scale, zero = (graph.constants[name].astype(np.float64).reshape(()) for name in after.input[1:3])
        lowest = float(np.iinfo(graph.constants[after.input[2]].dtype).min)
        limit = np.array((lowest - zero + 0.25) * scale, np.float32)
        name = graph.add_constant(f"{node.output[0]}/limit", limit)
        clipped = graph.fresh(f"{node.output[0]}/within")
        guard = helper.make_node("Max", [node.output[0], name], [clipped], name=clipped)
        graph.insert(after, guard, graph.shape(node.output[0]))
        graph.set_input(after, 0, clipped)
        guarded += 1
    return guarded


def _signed_pixels(graph: Graph) -> int:
    """Let the uint8 pixels become int8 before the first convolution."""
    entry = graph.producer("pixels/float")
    if entry is None:
        raise ValueError("not a quantized graph: nothing dequantizes the pixels")
    if entry.op_type == "Cast":
        return 0  # they are normalized in float
    first = next(node for node in graph.nodes if node.op_type == "Conv")
    if first.input[1] in graph.constants:
        return 0  # a float convolution reads them as they are
    zero = int(graph.constants[entry.input[2]].reshape(())) - SIGNED
    shape = graph.shape(entry.output[0])
    parts = [entry.input[1], _scalar(graph, "pixels/signed_zero_point", zero, np.int8)]
    following = graph.following(entry)
    graph.redirect("pixels/float", "pixels/signed")
    quantize = helper.make_node(
        "QuantizeLinear", ["pixels/float", *parts], ["pixels/int8"], name="pixels/int8"
    )
    graph.insert(following, quantize, shape)
    dequantize = helper.make_node(
        "DequantizeLinear", ["pixels/int8", *parts], ["pixels/signed"], name="pixels/signed"
    )
    graph.insert(following, dequantize, shape)
    return 2


def _unsigned_zero_point(graph: Graph, node: NodeProto) -> bool:
    zero = graph.constants[node.input[2]]
    if zero.dtype != np.int8:
        return False
    graph.set_input(node, 2, graph.add_constant(f"{node.input[2]}/u8", _unsigned(zero)))
    return True


def _unsigned_values(graph: Graph, node: NodeProto) -> bool:
    if graph.constants[node.input[0]].dtype != np.int8:
        return False
    for index in (0, 2):
        values = _unsigned(graph.constants[node.input[index]])
        graph.set_input(node, index, graph.add_constant(f"{node.input[index]}/u8", values))
    return True


def _wants_unsigned(graph: Graph, node: NodeProto, form: str) -> bool:
    """Whether a dequantized constant is to be uint8, if it is int8."""
    if form == "u8u8" or _is_operand(graph, node):
        return True
    return form == "u8x8" and _may_saturate(graph, node)


def _may_saturate(graph: Graph, node: NodeProto) -> bool:
    """Whether a dequantized constant is an int8 kernel whose products may overflow 16 bits."""
    values = graph.constants[node.input[0]]
    groups = [int(attributes(conv).get("group", 1)) for conv in graph.consumers(node.output[0])]
    return values.dtype == np.int8 and not all(fits(values, count) for count in groups)


def _is_operand(graph: Graph, node: NodeProto) -> bool:
    """Whether a dequantized constant is an elementwise operand rather than a kernel or bias."""
    return all(reader.op_type in ("Add", "Mul") for reader in graph.consumers(node.output[0]))


def _unsigned(values: NDArray[np.int8]) -> NDArray[np.uint8]:
    return (values.astype(np.int16) + SIGNED).astype(np.uint8)


def _scalar(graph: Graph, name: str, value: int, kind: type) -> str:
    return graph.add_constant(name, np.array(value, kind))
