"""How far scores may be off that are not int8: what a runtime rounds while it runs, or otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qdq.rescale import quantization_of, quantizer, scale_of
from edgenet.model import Model

__all__ = ["score_slack"]

# Standard deviations of the sum of independent rounding errors.
SURE = 6.0


def score_slack(model: Model, hybrid: bool) -> NDArray[np.float64]:
    """How far each score may be off, in units of the scores.

    One of 16 bits by a step: kernels round it a step apart, or not at all. One that is float behind int8
    weights by what a hybrid kernel makes of its input: it rounds that to 8 bits again, on a scale that it
    chooses by the image (LiteRT's dynamic range quantization). A step is at most twice the tensor's own, and
    the rounding errors add up over a row of weights.

    Args:
        model: A graph with Q/DQ inside.
        hybrid: Whether the runtime has hybrid kernels.

    Returns:
        float64 [values]; 0 where scores are int8, or float and their weights, too.
    """
    graph = Graph(model.proto)
    made = {node.output[0] for node in graph.nodes if node.op_type in ("Conv", "DequantizeLinear")}
    found = []
    for name in graph.outputs:
        node = graph.producer(moved_from(graph, name, made) or name)
        row = np.zeros(int(np.prod(graph.shape(name))))
        if node is not None and node.op_type == "DequantizeLinear":
            how = quantization_of(graph, node)
            row = row + (how.scale if how.bits > 8 else 0.0)
        elif node is not None and node.op_type == "Conv" and hybrid:
            own = _rounded_again(graph, node)
            row = row + (own if own.size == row.size else own.max())
        found.append(row)
    return np.concatenate(found)


def _rounded_again(graph: Graph, conv: NodeProto) -> NDArray[np.float64]:
    """What a hybrid kernel loses, [outputs], or [1] zero where the layer is none."""
    kernel, source = graph.producer(conv.input[1]), quantizer(graph, conv.input[0])
    if kernel is None or source is None:
        return np.zeros(1)
    steps, scales = (graph.constants[item].astype(np.float64) for item in kernel.input[:2])
    norms = np.sqrt(np.square(steps.reshape(len(steps), -1)).sum(axis=1)) * scales
    return np.asarray(SURE * 2 * scale_of(graph, source) / np.sqrt(12) * norms)
