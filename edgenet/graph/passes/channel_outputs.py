"""Let a graph also give the extremes of some tensors' channels, so that whole tensors need not leave it.

Pools stand in for reductions: ONNX Runtime's take the blocked layout (NCHWc) that its convolutions write, so
no tensor is put into another order to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import helper

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.insert import clip_bounds

__all__ = ["ChannelOutputs", "channel_outputs"]


@dataclass(frozen=True)
class ChannelOutputs:
    """Outputs [1, channels, 1, 1] for a tensor [1, channels, rows, columns].

    Attributes:
        low: The smallest values; ``None`` behind a ReLU, where nothing is below zero.
        high: The largest values.
        mean: NaN or infinite where any value is: ONNX Runtime's extremes pass NaN over.
    """

    low: str | None
    high: str
    mean: str

    @property
    def names(self) -> list[str]:
        """Those there are."""
        return [name for name in (self.low, self.high, self.mean) if name is not None]


def channel_outputs(
    graph: Graph, names: Sequence[str]
) -> tuple[onnx.ModelProto, Mapping[str, ChannelOutputs]]:
    """The graph with outputs for each named tensor.

    Args:
        graph: Not changed.
        names: Tensors [1, channels, rows, columns].

    Returns:
        The model, and the outputs by tensor, in place of a count: the graph itself stays as it is.
    """
    model, found = graph.proto(), {}
    for name in names:
        low = None if _positive(graph, name) else f"{name}/low"
        outputs = ChannelOutputs(low, f"{name}/high", f"{name}/mean")
        model.graph.node.append(helper.make_node("GlobalMaxPool", [name], [outputs.high]))
        model.graph.node.append(helper.make_node("GlobalAveragePool", [name], [outputs.mean]))
        if low is not None:
            _smallest(model, name, low)
        found[name] = outputs
    return model, found


def _positive(graph: Graph, name: str) -> bool:
    """Whether a tensor comes from a ReLU or a clip at zero or above."""
    node = graph.producer(name)
    if node is not None and node.op_type == "Clip":
        return clip_bounds(graph, node)[0] >= 0
    return node is not None and node.op_type == "Relu"


def _smallest(model: onnx.ModelProto, name: str, output: str) -> None:
    """A pool of the negated tensor: a reduction would have its axes elsewhere in every other operator set."""
    below, top = f"{output}/negated", f"{output}/top"
    model.graph.node.append(helper.make_node("Neg", [name], [below]))
    model.graph.node.append(helper.make_node("GlobalMaxPool", [below], [top]))
    model.graph.node.append(helper.make_node("Neg", [top], [output]))
