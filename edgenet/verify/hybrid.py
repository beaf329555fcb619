"""Scores of float layers with int8 weights, where a runtime rounds what they read while it runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qdq.rescale import quantizer, scale_of
from edgenet.model import Model

__all__ = ["hybrid_slack"]

# Standard deviations of the sum of independent rounding errors.
SURE = 6.0


def hybrid_slack(model: Model) -> NDArray[np.float64]:
    """How far each score may be off because the input of the layer before it is rounded to 8 bits again.

    A hybrid kernel chooses the scale of its input by the image (LiteRT's dynamic range quantization). A step
    is at most twice the tensor's own, and the rounding errors add up over a row of weights.

    Args:
        model: A graph with Q/DQ inside.

    Returns:
        float64 [values], in units of the scores; 0 where they are rounded, or their weights are float.
    """
    graph = Graph(model.proto)
    made = {node.output[0] for node in graph.nodes if node.op_type in ("Conv", "DequantizeLinear")}
    found = []
    for name in graph.outputs:
        node = graph.producer(moved_from(graph, name, made) or name)
        row = np.zeros(int(np.prod(graph.shape(name))))
        if node is not None and node.op_type == "Conv":
            kernel, source = graph.producer(node.input[1]), quantizer(graph, node.input[0])
            if kernel is not None and source is not None:
                steps, scales = (graph.constants[item].astype(np.float64) for item in kernel.input[:2])
                norms = np.sqrt(np.square(steps.reshape(len(steps), -1)).sum(axis=1)) * scales
                own = SURE * 2 * scale_of(graph, source) / np.sqrt(12) * norms
                row = row + (own if own.size == row.size else own.max())
        found.append(row)
    return np.concatenate(found)
