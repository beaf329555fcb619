"""Pictures are NHWC in a TFLite file and NCHW in the ONNX graph: every tensor of rank 4, whatever it is.

Other ranks keep their order. That is the rule of :mod:`edgenet.backends.lowering` the other way around.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["TO_FILE", "TO_GRAPH", "graph_axis", "graph_shape", "keeps_order"]

IMAGE_RANK = 4
TO_GRAPH = (0, 3, 1, 2)
TO_FILE = (0, 2, 3, 1)


def graph_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape of the file as the graph has it."""
    return tuple(shape[axis] for axis in TO_GRAPH) if len(shape) == IMAGE_RANK else tuple(shape)


def graph_axis(rank: int, axis: int) -> int:
    """An axis of the file, negative ones counted from the end, as the graph counts it."""
    axis %= max(rank, 1)
    return TO_GRAPH.index(axis) if rank == IMAGE_RANK else axis


def keeps_order(shape: Sequence[int]) -> bool:
    """Whether the numbers of a tensor stand in the same order in both."""
    return len(shape) != IMAGE_RANK or shape[3] == 1 or math.prod(shape[1:3]) == 1
