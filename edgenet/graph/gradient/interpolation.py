"""What a Resize does to rows and to columns, as two matrices: as ONNX Runtime does it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.segments import subgraph

__all__ = ["interpolation"]

Array = NDArray[np.float32]


def interpolation(graph: Graph, node: NodeProto) -> tuple[Array, Array]:
    """The matrices R and C of a Resize of [1, channels, rows, columns], which gives R x C' for each channel.

    Returns:
        float32 [rows after, rows before] and [columns after, columns before].
    """
    run = Evaluator(subgraph(graph, [node], [node.input[0]], list(node.output)), list(node.output))
    return _along(graph, node, run, 2), _along(graph, node, run, 3)


def _along(graph: Graph, node: NodeProto, run: Evaluator, axis: int) -> Array:
    """Show pictures with one bright line each, a channel each, and look across them."""
    shape = graph.shape(node.input[0])
    found: list[Array] = []
    for first in range(0, shape[axis], shape[1]):
        count = min(shape[1], shape[axis] - first)
        shown = np.zeros(shape, np.float32)
        np.moveaxis(shown, axis, 2)[0, np.arange(count), first + np.arange(count)] = 1
        made = np.moveaxis(run.feed({node.input[0]: shown})[node.output[0]], axis, 2)
        found += list(made[0, :count, :, 0])
    return np.stack(found, axis=1)
