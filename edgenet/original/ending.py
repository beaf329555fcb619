"""What a graph ends in; answers that say the same in another form: logarithms, rounded probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper

__all__ = ["MOVES", "last_operator", "without_logarithm", "without_rounding"]

PROBABILITIES = ("Sigmoid", "Softmax")
ROUNDING = ("DequantizeLinear", "QuantizeLinear")
ORDERS = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
# Operators that move the values of the answer, or round them, and change none.
MOVES = ("Cast", *ROUNDING, *ORDERS)


def last_operator(proto: onnx.ModelProto, moves: Sequence[str] = MOVES) -> onnx.NodeProto | None:
    """The node that computes the first output, before those that only move it; ``None`` without one."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    node = makers.get(proto.graph.output[0].name)
    while node is not None and node.op_type in moves:
        node = makers.get(node.input[0])
    return node


def without_logarithm(proto: onnx.ModelProto) -> bool:
    """Turn a LogSoftmax that a graph ends in into a Softmax, in place; returns whether there was one."""
    node = last_operator(proto, ORDERS)
    if node is None or node.op_type != "LogSoftmax":
        return False
    node.op_type = "Softmax"
    return True


def without_rounding(proto: onnx.ModelProto) -> bool:
    """Let a graph end in the probabilities that it computes, in place, not in those rounded to 256 steps.

    Small ones would all be 0, and what is 0 has no logarithm to compare.

    Returns:
        Whether they were rounded.
    """
    makers = {name: node for node in proto.graph.node for name in node.output}
    behind: list[onnx.NodeProto] = []
    rounding: list[onnx.NodeProto] = []
    node = makers.get(proto.graph.output[0].name)
    while node is not None and node.op_type in MOVES:
        (rounding if node.op_type in ROUNDING else behind).append(node)
        node = makers.get(node.input[0])
    if node is None or node.op_type not in PROBABILITIES or not rounding:
        return False
    readers = [name for item in proto.graph.node for name in item.input]
    if any(readers.count(item.output[0]) > 1 for item in (node, *behind, *rounding)):
        return False
    for item in rounding:
        item.CopyFrom(helper.make_node("Identity", item.input[:1], item.output, item.name))
    del proto.graph.value_info[:]
    return True
