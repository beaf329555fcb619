"""Let the logits behind a removed Softmax have mean zero, as the logarithms of probabilities are compared."""

from __future__ import annotations

import numpy as np

from edgenet.graph.graph import Graph

__all__ = ["center_logits"]

# What a sum over the channels passes unchanged.
PASSED = ("Cast", "Flatten", "GlobalAveragePool", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


def center_logits(graph: Graph) -> int:
    """Take the mean over the classes out of the last convolution's weights, in place.

    Probabilities say nothing about it: softmax(x) is softmax(x - mean(x)).

    Returns:
        1 where the graph ends in a convolution with a channel a class, moved about or not, else 0.
    """
    conv = graph.producer(graph.output)
    while conv is not None and conv.op_type in PASSED:
        conv = graph.producer(conv.input[0])
        if conv is not None and len(graph.consumers(conv.output[0])) > 1:
            return 0
    if conv is None or conv.op_type != "Conv":
        return 0
    if len(conv.input) < 3 or not all(name in graph.constants for name in conv.input[1:]):
        return 0
    classes = graph.outputs[graph.output].type.tensor_type.shape.dim[-1].dim_value
    if len(graph.constants[conv.input[1]]) != classes:
        return 0  # a class is a channel and a place: there is no mean over the classes in a kernel
    for position in (1, 2):
        values = graph.constants[conv.input[position]].astype(np.float64)
        centered = (values - values.mean(axis=0, keepdims=True)).astype(np.float32)
        graph.set_input(conv, position, graph.add_constant(f"{conv.input[position]}/centered", centered))
    return 1
