"""Declare an old operator set where the graph means the same in it: boards have old parsers."""

from __future__ import annotations

import onnx

from edgenet.graph.graph import Graph

__all__ = ["OPSET", "downgrade_opset"]

# Per-channel Q/DQ exists from this set on; TensorRT 8.2 reads no newer one.
OPSET = 13
# Operators that mean the same in sets 13 to 23 (later versions only take more types).
SAME = (
    "Add", "Cast", "Clip", "Concat", "Conv", "DequantizeLinear", "Div", "Flatten", "GlobalAveragePool",
    "HardSigmoid", "MaxPool", "Mul", "QuantizeLinear", "Relu", "Reshape", "Sigmoid", "Sub", "Transpose",
)  # fmt: skip


def downgrade_opset(graph: Graph) -> int:
    """Declare operator set 13, in place.

    Returns:
        1 where it could be done; if not, 0, and the graph keeps its own set.
    """
    if any(node.op_type not in SAME for node in graph.nodes):
        return 0
    before, graph.opset = graph.opset, OPSET
    try:
        graph.proto()
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        graph.opset = before
        return 0
    return 1
