"""Let a graph also give the extremes of some tensors' channels, so that whole tensors need not leave it.

Pools stand in for reductions: ONNX Runtime's take the blocked layout (NCHWc) that its convolutions write, so
no tensor is put into another order to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edgenet.graph.view import Graph

__all__ = ["ChannelOutputs", "channel_outputs"]

# The first operator set in which reductions take their axes as an input.
AXES_AS_INPUT = 18


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
        The model, and the outputs by tensor.
    """
    model, found = graph.proto(), {}
    for name in names:
        low = None if _positive(graph, name) else f"{name}/low"
        outputs = ChannelOutputs(low, f"{name}/high", f"{name}/mean")
        model.graph.node.append(helper.make_node("GlobalMaxPool", [name], [outputs.high]))
        model.graph.node.append(helper.make_node("GlobalAveragePool", [name], [outputs.mean]))
        if low is not None:
            _smallest(model, graph.opset, name, low)
        found[name] = outputs
    return model, found


def _positive(graph: Graph, name: str) -> bool:
    """Whether a tensor comes from a ReLU or a clip at zero or above."""
    node = graph.producer(name)
    if node is None or node.op_type != "Clip":
        return node is not None and node.op_type == "Relu"
    low = graph.constant(node.input[1]) if len(node.input) > 1 else None
    return low is not None and bool(low >= 0)


def _smallest(model: onnx.ModelProto, opset: int, name: str, output: str) -> None:
    axes = np.array([2, 3], np.int64)
    if opset < AXES_AS_INPUT:
        node = helper.make_node("ReduceMin", [name], [output], axes=axes)
    else:
        model.graph.initializer.append(numpy_helper.from_array(axes, f"{output}/axes"))
        node = helper.make_node("ReduceMin", [name, f"{output}/axes"], [output])
    model.graph.node.append(node)
