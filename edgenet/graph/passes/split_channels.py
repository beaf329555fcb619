"""Put dead channels to work: let them carry a second copy of the channels that rounding hurts most.

A MobileNet's narrow first blocks hold channels that never leave zero (of the eight of V1 0.25, three). Such a
channel costs its time all the same. Here it becomes a copy of a live one, and the pointwise convolution
behind takes the mean of the copies: the float network stays what it was, no operator and no byte is added,
and the rounding noise of that channel falls, as with a doubled resolution when the copies' bias is shifted
by a part of a step (dither). Splitting channels to win precision is outlier channel splitting
(Zhao et al., arXiv 1901.09504); doing it in channels that are there anyway makes it free. So are channels
that a kernel computes anyway: it works on 16 at a time, and the last 16 of 24 are half empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import depthwise

__all__ = ["DepthwiseChain", "Split", "add_channels", "depthwise_chains", "split_into_dead"]


@dataclass(frozen=True)
class DepthwiseChain:
    """Channels that run apart from each other: Conv → activation → depthwise → activation → Conv.

    Attributes:
        enter: The convolution that makes the channels.
        inner: Tensor between the two activations' operators: input of the depthwise convolution.
        filters: The depthwise convolution.
        outer: What the last convolution reads.
        leave: The convolution that mixes the channels again.
    """

    enter: NodeProto
    inner: str
    filters: NodeProto
    outer: str
    leave: NodeProto


@dataclass(frozen=True)
class Split:
    """What the channels of a lane carry now.

    Attributes:
        source: [channels], which channel each one equals.
        shift: [channels], the share of a step by which its bias should be shifted where it is rounded: k/n
            for the k-th of n copies, 0 where there is one.
    """

    source: NDArray[np.int64]
    shift: NDArray[np.float64]


def depthwise_chains(graph: Graph) -> list[DepthwiseChain]:
    """Every place where a channel has a path of its own, in graph order."""
    found = []
    for node in graph.nodes:
        if node.op_type != "Conv" or not depthwise(graph, node):
            continue
        enter, outer = _before(graph, node), _after(graph, node)
        leave = graph.sole_consumer(outer) if outer else None
        if enter is None or outer is None or leave is None:
            continue
        if leave.op_type == "Conv" and not depthwise(graph, leave) and not depthwise(graph, enter):
            found.append(DepthwiseChain(enter, node.input[0], node, outer, leave))
    return found


def add_channels(graph: Graph, lane: DepthwiseChain, count: int) -> int:
    """Give a lane more channels, all of them zero, in place; returns how many it has then."""
    before = graph.shape(lane.outer)[1]
    for conv, axis in ((lane.enter, 0), (lane.filters, 0), (lane.leave, 1)):
        for index in (1, 2) if axis == 0 else (1,):
            values = graph.constants[conv.input[index]]
            shape = (*values.shape[:axis], count, *values.shape[axis + 1 :])
            _replace(graph, conv, index, np.concatenate([values, np.zeros(shape)], axis))
    next(item for item in lane.filters.attribute if item.name == "group").i = before + count
    for name in {lane.enter.output[0], lane.inner, lane.filters.output[0], lane.outer}:
        shape = graph.shape(name)
        graph.reshape(name, (shape[0], before + count, *shape[2:]))
    return before + count


def split_into_dead(
    graph: Graph, lane: DepthwiseChain, dead: NDArray[np.bool_], noise: NDArray[np.float64]
) -> Split:
    """Give every dead channel of a lane a copy of the noisiest live one, in place.

    Args:
        graph: The graph.
        lane: One of :func:`depthwise_chains`.
        dead: [channels], true where a channel is zero at the lane's end whatever the image.
        noise: [channels], power that rounding a channel adds behind the lane, in any unit.

    Returns:
        What each channel carries now, in place of a count: whoever rounds the biases shifts them by it.
    """
    source, copies = _assign(dead, noise)
    order = np.zeros(len(dead))
    for channel in range(len(dead)):
        order[channel] = int((source[:channel] == source[channel]).sum())
    for conv in (lane.enter, lane.filters):
        for index in (1, 2):
            _replace(graph, conv, index, graph.constants[conv.input[index]][source])
    mixing = graph.constants[lane.leave.input[1]].astype(np.float64)
    mixing[:, dead] = 0
    _replace(graph, lane.leave, 1, mixing[:, source] / copies[source][None, :, None, None])
    return Split(source, order / copies[source])


def _assign(
    dead: NDArray[np.bool_], noise: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which channel each one copies (itself if it lives), and how many carry each."""
    source, copies = np.arange(len(dead)), np.ones(len(dead))
    left = np.where(dead, 0.0, noise)
    for channel in np.flatnonzero(dead):
        noisiest = int(np.argmax(left / copies**2))
        if left[noisiest] <= 0:
            break
        source[channel] = noisiest
        copies[noisiest] += 1
    return source, copies


def _before(graph: Graph, conv: NodeProto) -> NodeProto | None:
    """The convolution before one, with at most an activation between and no other reader."""
    if graph.sole_consumer(conv.input[0]) is None:
        return None
    node = graph.producer(conv.input[0])
    if node is not None and node.op_type in ("Relu", "Clip"):
        if graph.sole_consumer(node.input[0]) is None:
            return None
        node = graph.producer(node.input[0])
    return node if node is not None and node.op_type == "Conv" else None


def _after(graph: Graph, conv: NodeProto) -> str | None:
    """The tensor behind a convolution and its activation, if nobody else reads what is between."""
    node = graph.sole_consumer(conv.output[0])
    if node is None:
        return None
    return str(node.output[0]) if node.op_type in ("Relu", "Clip") else str(conv.output[0])


def _replace(graph: Graph, conv: NodeProto, index: int, value: NDArray[np.float64]) -> None:
    name = graph.add_constant(f"{conv.input[index]}/reused", value.astype(np.float32))
    graph.set_input(conv, index, name)
