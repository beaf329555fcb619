"""Hard-swish and hard-sigmoid: named where exporters spell them out, and gates folded into convolutions.

    hard_sigmoid(x) = relu6(x + 3) / 6        hard_swish(x) = x * hard_sigmoid(x)

(Howard et al., arXiv 1905.02244, section 5.2).
"""

from __future__ import annotations

import math

import numpy as np
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qdq.insert import clip_bounds

__all__ = ["fold_gates", "name_hard_activations"]

OPSET = 14  # the first with HardSwish
# What means something else before operator set 13, so that a newer set cannot simply be declared.
CHANGED = ("LogSoftmax", "ReduceSum", "Softmax", "Split", "Squeeze", "Unsqueeze")


def name_hard_activations(graph: Graph) -> int:
    """Rewrite relu6(x + 3) / 6 as HardSigmoid and x * hard_sigmoid(x) as HardSwish, in place.

    Returns:
        How many were named. None of the second where the graph's operator set cannot be raised to 14.
    """
    named = 0
    for clip in [node for node in graph.nodes if node.op_type == "Clip"]:
        named += _name_sigmoid(graph, clip)
    if graph.opset < OPSET and any(node.op_type in CHANGED for node in graph.nodes):
        return named
    for gate in [node for node in graph.nodes if node.op_type == "HardSigmoid"]:
        named += _name_swish(graph, gate)
    return named


def fold_gates(graph: Graph) -> int:
    """Let squeeze-and-excite gates cost nothing: Conv → HardSigmoid → Mul → Conv, in place.

    hard_sigmoid(a x + b) = relu6(6 a x + 6 b) / 6: the factor and the 3 go into the convolution before it,
    the sixth into the one behind the product, and what is left is a ReLU6 that every runtime fuses.

    Returns:
        How many HardSigmoid nodes behind a convolution were rewritten. Where no convolution follows, the
        sixth stays as a Mul of the gate.
    """
    folded = 0
    for gate in [node for node in graph.nodes if node.op_type == "HardSigmoid"]:
        conv = graph.producer(gate.input[0])
        if conv is None or conv.op_type != "Conv" or graph.sole_consumer(conv.output[0]) is None:
            continue
        if all(name in graph.constants for name in conv.input[1:]):
            _fold(graph, conv, gate)
            folded += 1
    return folded


def _name_sigmoid(graph: Graph, clip: NodeProto) -> int:
    """Add 3 → Clip(0, 6) → by 6, the sixth taken before or after a product with x."""
    add = graph.producer(clip.input[0])
    if clip_bounds(graph, clip) != (0.0, 6.0) or add is None or add.op_type != "Add":
        return 0
    source = _operand(graph, add, 3.0)
    after = graph.sole_consumer(clip.output[0])
    if source is None or after is None:
        return 0
    sixth = after
    if not _is_sixth(graph, after):
        product = graph.sole_consumer(after.output[0])
        if after.op_type != "Mul" or source not in after.input or product is None:
            return 0
        sixth = product
        if not _is_sixth(graph, sixth):
            return 0
    gate = graph.fresh(f"{clip.output[0]}/gate")
    node = helper.make_node("HardSigmoid", [source], [gate], name=gate, alpha=1 / 6, beta=0.5)
    graph.insert(clip, node, graph.shape(clip.output[0]))
    graph.redirect(clip.output[0], gate)
    graph.remove(clip)
    if not graph.consumers(add.output[0]):
        graph.remove(add)
    graph.bypass(sixth)
    return 1


def _name_swish(graph: Graph, gate: NodeProto) -> int:
    options = attributes(gate)
    product = graph.sole_consumer(gate.output[0])
    if not math.isclose(options.get("alpha", 0.2), 1 / 6, rel_tol=1e-6) or options.get("beta", 0.5) != 0.5:
        return 0
    if product is None or product.op_type != "Mul" or gate.input[0] not in product.input:
        return 0
    swish = helper.make_node("HardSwish", [gate.input[0]], [product.output[0]], name=product.name)
    graph.insert(product, swish, graph.shape(product.output[0]))
    graph.remove(product)
    graph.remove(gate)
    graph.opset = max(graph.opset, OPSET)
    return 1


def _operand(graph: Graph, node: NodeProto, value: float) -> str | None:
    """The other input of an operator with the constant ``value``."""
    for index in (0, 1):
        constant = graph.constant(node.input[index])
        if constant is not None and constant.size == 1 and math.isclose(constant.item(), value, rel_tol=1e-6):
            return str(node.input[1 - index])
    return None


def _is_sixth(graph: Graph, node: NodeProto) -> bool:
    if node.op_type == "Div":
        return bool(_operand(graph, node, 6.0) == node.input[0])
    return node.op_type == "Mul" and _operand(graph, node, 1 / 6) is not None


def _fold(graph: Graph, conv: NodeProto, gate: NodeProto) -> None:
    options = attributes(gate)
    alpha, beta = (
        6 * np.float64(options.get(name, default)) for name, default in (("alpha", 0.2), ("beta", 0.5))
    )
    kernel = graph.constants[conv.input[1]]
    bias = graph.constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(kernel))
    _replace_weights(graph, conv, kernel * alpha, bias * alpha + beta)
    bounds = [
        graph.add_constant(f"relu6/{name}", np.array(limit, np.float32))
        for name, limit in (("min", 0), ("max", 6))
    ]
    raised = graph.fresh(f"{gate.output[0]}/relu6")
    clip = helper.make_node("Clip", [gate.input[0], *bounds], [raised], name=gate.name)
    graph.insert(gate, clip, graph.shape(gate.output[0]))
    following = _convolution_behind(graph, gate)
    if following is None:
        sixth = graph.add_constant("sixth", np.array(1 / 6, np.float32))
        rest = helper.make_node("Mul", [raised, sixth], [gate.output[0]], name=f"{gate.name}/sixth")
        graph.insert(gate, rest, graph.shape(gate.output[0]))
        graph.remove(gate)
        return
    graph.remove(gate)
    graph.redirect(gate.output[0], raised)
    kernel, bias = (graph.constants[name] for name in following.input[1:3])
    _replace_weights(graph, following, kernel / 6, bias)


def _convolution_behind(graph: Graph, gate: NodeProto) -> NodeProto | None:
    """The convolution that alone reads the product that alone reads the gate."""
    product = graph.sole_consumer(gate.output[0])
    if product is None or product.op_type != "Mul":
        return None
    conv = graph.sole_consumer(product.output[0])
    if conv is None or conv.op_type != "Conv" or len(conv.input) < 3:
        return None
    return conv if all(name in graph.constants for name in conv.input[1:]) else None


def _replace_weights(graph: Graph, conv: NodeProto, kernel: np.ndarray, bias: np.ndarray) -> None:
    name = conv.name or conv.output[0]
    parts = {"kernel": kernel, "bias": bias}
    own = [
        graph.add_constant(f"{name}/gate_{part}", np.asarray(values, np.float32))
        for part, values in parts.items()
    ]
    graph.set_inputs(conv, [conv.input[0], *own])
