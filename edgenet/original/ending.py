"""What a graph ends in; logarithms of probabilities are read as the probabilities: the two say the same."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

__all__ = ["MOVES", "last_operator", "without_logarithm"]

ORDERS = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
# Operators that move the values of the answer, or round them, and change none.
MOVES = ("Cast", "DequantizeLinear", "QuantizeLinear", *ORDERS)


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
