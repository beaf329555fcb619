"""Which layers to keep in float: the cheapest sets, from all int8 to all float.

A layer's weights add noise unless the layer is float; an activation adds noise unless who makes it and all
who read it are float; and where the two kinds meet, an activation is converted. Along the network that is a
shortest path, solved exactly for each price of noise; the prices give the sets from which one is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto

from edgenet.graph.cost import cost
from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import depthwise
from edgenet.graph.segments import Step
from edgenet.quantize.mixed_precision.sensitivity import Sources
from edgenet.quantize.rounding.layerwise import Kept

__all__ = ["Choice", "Times", "choices", "kept_by"]

# Time in int8 multiply-adds of a pointwise convolution, from profiles of ONNX Runtime 1.31 on an x86-64 CPU
# with VNNI, one thread; boards differ, the order of the layers hardly does.
FLOAT = 2.2
DEPTHWISE = 12.0
ELEMENT = 10.0
CONVERT = 20.0
OPERATOR = 3e5
PRICES = 80


@dataclass(frozen=True)
class Choice:
    """A set of layers in float.

    Attributes:
        steps: Outputs of the steps.
        time: Estimated, 1 is all int8.
        noise: Predicted divergence of the class probabilities.
    """

    steps: frozenset[str]
    time: float
    noise: float


@dataclass(frozen=True)
class Times:
    """Estimated times in int8 multiply-adds, by a step's output: in int8, in float, to convert the output."""

    int8: Mapping[str, float]
    real: Mapping[str, float]
    convert: Mapping[str, float]

    @classmethod
    def of(cls, graph: Graph, parts: Sequence[Step]) -> Times:
        """Those of a prepared float graph."""
        rows = cost(graph.proto()).layers
        convs = [node.output[0] for node in graph.nodes if node.op_type == "Conv"]
        macs = dict(zip(convs, (row.macs for row in rows if row.op == "Conv"), strict=True))
        int8, real, convert = {}, {}, {}
        for step in parts:
            size = math.prod(graph.shape(step.output))
            own = [node for node in step.nodes if node.op_type == "Conv"]
            int8[step.output] = ELEMENT * size + sum(_macs(graph, node, macs, 1.0) for node in own)
            real[step.output] = ELEMENT * size + sum(_macs(graph, node, macs, FLOAT) for node in own)
            convert[step.output] = CONVERT * size + OPERATOR
        return cls(int8, real, convert)


def kept_by(parts: Sequence[Step], steps: Iterable[str]) -> Kept:
    """What a set of steps leaves in float: their weights, and the activations that only they touch."""
    chosen = frozenset(steps)
    readers = _readers(parts)
    convs = frozenset(
        step.conv.output[0] for step in parts if step.conv is not None and step.output in chosen
    )
    return Kept(convs, frozenset(name for name in chosen if all(item in chosen for item in readers[name])))


def choices(parts: Sequence[Step], sources: Sources, times: Times) -> list[Choice]:
    """Sets of steps, each the least noise for its time; from the fastest on."""
    whole = sum(times.int8.values()) / max(sum([*sources.weights.values(), *sources.tensors.values()]), 1e-12)
    found = {frozenset[str]()} | {
        _path(parts, sources, times, price) for price in whole * np.geomspace(1e-3, 1e3, PRICES)
    }
    rated = sorted((_rated(parts, sources, times, item) for item in found), key=lambda one: one.time)
    best: list[Choice] = []
    for one in rated:
        if not best or one.noise < best[-1].noise:
            best.append(one)
    return best


def _path(parts: Sequence[Step], sources: Sources, times: Times, price: float) -> frozenset[str]:
    """The set with the least time + price x noise, were the network a chain."""
    ends: list[tuple[float, frozenset[str]]] = [(0.0, frozenset()), (math.inf, frozenset())]
    before: str | None = None
    for step in parts:
        name = step.output
        own = times.int8[name] + price * sources.weights.get(name, 0.0), times.real[name]
        met = []
        for now in (0, 1):
            ways = [
                (value + _between(before, was, now, sources, times, price), chosen)
                for was, (value, chosen) in enumerate(ends)
            ]
            value, chosen = min(ways, key=lambda way: way[0])
            met.append((value + own[now], chosen | {name} if now else chosen))
        ends, before = met, name
    noise = price * sources.tensors.get(parts[-1].output, 0.0)
    return min((ends[0][0] + noise, ends[0][1]), ends[1], key=lambda end: end[0])[1]


def _between(before: str | None, was: int, now: int, sources: Sources, times: Times, price: float) -> float:
    if before is None or (was and now):
        return 0.0
    return price * sources.tensors.get(before, 0.0) + (times.convert[before] if was != now else 0.0)


def _rated(parts: Sequence[Step], sources: Sources, times: Times, chosen: frozenset[str]) -> Choice:
    """Time and noise of a set, with all readers of every activation."""
    kept, readers = kept_by(parts, chosen), _readers(parts)
    noise = sum(value for name, value in sources.weights.items() if name not in chosen)
    noise += sum(value for name, value in sources.tensors.items() if name not in kept.tensors)
    time = 0.0
    for name in (step.output for step in parts):
        own = name in chosen
        time += times.real[name] if own else times.int8[name]
        time += times.convert[name] if any((item in chosen) != own for item in readers[name]) else 0.0
    return Choice(chosen, time / sum(times.int8.values()), noise)


def _readers(parts: Sequence[Step]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {step.output: [] for step in parts}
    for step in parts:
        for name in step.inputs:
            if name in found:
                found[name].append(step.output)
    return found


def _macs(graph: Graph, conv: NodeProto, macs: Mapping[str, int], dense: float) -> float:
    return macs[conv.output[0]] * (DEPTHWISE if depthwise(graph, conv) else dense)
