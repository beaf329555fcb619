"""Answers that say the same in another form: logarithms of probabilities, probabilities rounded to bytes."""

from __future__ import annotations

import onnx
from onnx import helper

__all__ = ["without_logarithm", "without_rounding"]

PROBABILITIES = ("Sigmoid", "Softmax")
ROUNDING = ("DequantizeLinear", "QuantizeLinear")
MOVES = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def without_logarithm(proto: onnx.ModelProto) -> bool:
    """Turn a LogSoftmax that a graph ends in into a Softmax, in place; returns whether there was one."""
    makers = {name: node for node in proto.graph.node for name in node.output}
    node = makers.get(proto.graph.output[0].name)
    while node is not None and node.op_type in MOVES:
        node = makers.get(node.input[0])
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
    while node is not None and node.op_type in (*MOVES, *ROUNDING):
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
