"""Answers that are logarithms of probabilities are read as the probabilities: the two say the same."""

from __future__ import annotations

import onnx

__all__ = ["without_logarithm"]

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
