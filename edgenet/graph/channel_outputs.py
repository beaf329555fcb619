"""Let a graph also give the extremes of some tensors' channels, so that whole tensors need not leave it."""

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
    """Outputs for a tensor [1, channels, ...]: ``low`` and ``high`` [channels], ``sample`` [channels, n].

    ``total``, one number, is NaN or infinite where any value is: ONNX Runtime's extremes pass NaN over.
    """

    low: str
    high: str
    sample: str
    total: str


def channel_outputs(
    graph: Graph, names: Sequence[str], samples: int
) -> tuple[onnx.ModelProto, Mapping[str, ChannelOutputs]]:
    """The graph with outputs for each named tensor.

    Args:
        graph: Not changed.
        names: Tensors [1, channels, ...].
        samples: How many positions a channel, about; they lie evenly apart.

    Returns:
        The model, and the outputs by tensor.
    """
    model, found = graph.proto(), {}
    for name in names:
        shape = graph.shape(name)
        outputs = ChannelOutputs(*(f"{name}/{kind}" for kind in ("low", "high", "sample", "total")))
        _reduce(model, graph.opset, "ReduceMin", name, outputs.low, len(shape))
        _reduce(model, graph.opset, "ReduceMax", name, outputs.high, len(shape))
        _slice(model, name, outputs.sample, shape, max(1, int(np.prod(shape[2:])) // samples))
        model.graph.node.append(helper.make_node("ReduceSum", [name], [outputs.total], keepdims=0))
        found[name] = outputs
    return model, found


def _reduce(model: onnx.ModelProto, opset: int, kind: str, name: str, output: str, rank: int) -> None:
    axes = [0, *range(2, rank)]
    if opset < AXES_AS_INPUT:
        node = helper.make_node(kind, [name], [output], axes=axes, keepdims=0)
    else:
        node = helper.make_node(kind, [name, _constant(model, f"{output}/axes", axes)], [output], keepdims=0)
    model.graph.node.append(node)


def _slice(model: onnx.ModelProto, name: str, output: str, shape: Sequence[int], step: int) -> None:
    rows = _constant(model, f"{output}/shape", [shape[1], -1])
    model.graph.node.append(helper.make_node("Reshape", [name, rows], [f"{output}/flat"]))
    places = {"starts": 0, "ends": int(np.prod(shape[2:])), "axes": 1, "steps": step}
    given = [_constant(model, f"{output}/{key}", [value]) for key, value in places.items()]
    model.graph.node.append(helper.make_node("Slice", [f"{output}/flat", *given], [output]))


def _constant(model: onnx.ModelProto, name: str, values: Sequence[int]) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name
