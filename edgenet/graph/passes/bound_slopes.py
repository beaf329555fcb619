"""Slopes of PRelu from -1 to 1: steeper ones become factors of the convolutions beside it.

A channel with a slope a, |a| > 1, is -a times what a PRelu of slope 1/a makes of its negative. The sign goes
into the convolution before, -a into those behind (as in Nagel et al., arXiv 1906.04721, section 4.1, whose
factors are positive). So no channel's range grows below zero, and int8 has a form for every slope
(:mod:`edgenet.graph.qdq.split_slopes`).
"""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.passes.equalize import ChannelGroup, depthwise, scale_channels
from edgenet.graph.qdq.split_slopes import channel_slopes

__all__ = ["bound_slopes"]

# What lies between a PRelu and the convolutions that read it and is linear, each channel by itself.
LINEAR = ("AveragePool", "GlobalAveragePool", "Pad")


def bound_slopes(graph: Graph) -> int:
    """Take slopes beyond -1 and 1 out of every PRelu between convolutions, in place.

    Returns:
        How many PRelu nodes have other slopes now.
    """
    changed = 0
    for node in [node for node in graph.nodes if node.op_type == "PRelu"]:
        slopes, readers = channel_slopes(graph, node), _readers(graph, node)
        maker = graph.producer(node.input[0])
        if slopes is None or readers is None or maker is None or graph.sole_consumer(node.input[0]) is None:
            continue
        if not _is_plain(graph, maker) or np.abs(slopes).max() <= 1.0:
            continue
        _bound(graph, node, np.broadcast_to(slopes, (graph.shape(node.input[0])[1],)), maker, readers)
        changed += 1
    return changed


def _bound(
    graph: Graph, node: NodeProto, slopes: np.ndarray, maker: NodeProto, readers: list[NodeProto]
) -> None:
    steep = np.abs(slopes) > 1.0
    safe = np.where(steep, slopes, 1.0)
    scale_channels(graph, ChannelGroup(makers=[maker]), np.where(steep, -1.0, 1.0))
    scale_channels(graph, ChannelGroup(readers=readers), np.where(steep, -1.0 / safe, 1.0))
    bounded = np.where(steep, 1.0 / safe, slopes).astype(np.float32)
    shape = (-1, *[1] * (len(graph.shape(node.input[0])) - 2))
    graph.set_input(node, 1, graph.add_constant(f"{node.input[1]}/bounded", bounded.reshape(shape)))


def _readers(graph: Graph, node: NodeProto) -> list[NodeProto] | None:
    """The convolutions that read a node's result; ``None`` where anything else does."""
    found: list[NodeProto] = []
    waiting = [node.output[0]]
    while waiting:
        name = waiting.pop()
        if graph.is_output(name):
            return None
        for reader in graph.consumers(name):
            if reader.op_type in LINEAR and _pads_zeros(graph, reader):
                waiting.append(reader.output[0])
            elif _is_plain(graph, reader) and reader.input[0] == name:
                found.append(reader)
            else:
                return None
    return found


def _pads_zeros(graph: Graph, node: NodeProto) -> bool:
    """Whether what it puts around a picture is zeros, as a product of them is."""
    if node.op_type != "Pad":
        return True
    value = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(1)
    return attributes(node).get("mode", b"constant") == b"constant" and value is not None and not value.any()


def _is_plain(graph: Graph, node: NodeProto) -> bool:
    """Whether it is a convolution whose channels' weights can be scaled."""
    if node.op_type != "Conv" or len(node.input) < 3:
        return False
    known = all(name in graph.constants for name in node.input[1:3])
    return known and (attributes(node).get("group", 1) == 1 or depthwise(graph, node))
