"""Fold batch normalization into the convolution before it."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from edgenet.graph.graph import Graph, attributes

__all__ = ["fold_batchnorm"]


def fold_batchnorm(graph: Graph) -> int:
    """Rewrite Conv → BatchNormalization as one Conv with bias, in place.

    With k = gamma / sqrt(variance + epsilon): W' = k W and b' = k (b - mean) + beta
    (Krishnamoorthi, arXiv 1806.08342, section 3.2.2, inference form).

    Returns:
        How many batch normalizations were folded. One that follows anything else stays.
    """
    folded = 0
    for batchnorm in [node for node in graph.nodes if node.op_type == "BatchNormalization"]:
        conv = graph.producer(batchnorm.input[0])
        if conv is None or conv.op_type != "Conv" or graph.sole_consumer(conv.output[0]) is None:
            continue
        if conv.input[1] not in graph.constants:
            continue
        _fold(graph, conv, batchnorm)
        folded += 1
    return folded


def _fold(graph: Graph, conv: NodeProto, batchnorm: NodeProto) -> None:
    gamma, beta, mean, variance = (graph.constants[name].astype(np.float64) for name in batchnorm.input[1:5])
    factor = gamma / np.sqrt(variance + attributes(batchnorm).get("epsilon", 1e-5))
    kernel = graph.constants[conv.input[1]]
    bias = graph.constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(kernel))
    folded_kernel = (kernel * factor[:, None, None, None]).astype(np.float32)
    folded_bias = ((bias - mean) * factor + beta).astype(np.float32)
    name = conv.input[1]
    parts = {"folded": folded_kernel, "folded_bias": folded_bias}
    own = [graph.add_constant(f"{name}/{part}", values) for part, values in parts.items()]
    graph.set_inputs(conv, [conv.input[0], *own])
    graph.bypass(batchnorm)
