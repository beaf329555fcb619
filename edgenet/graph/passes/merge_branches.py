"""Branches that are summed are one convolution: networks that were trained wide and not yet made narrow.

MobileOne and RepVGG train each layer as several convolutions of one input and a normalized copy of it, and
add them (Vasu et al., arXiv 2206.04040, section 3.3; Ding et al., arXiv 2101.03697, section 3.3). What their
authors' ``reparameterize`` does before an export is done here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes

__all__ = ["merge_branches"]

Pads = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Branch:
    """A convolution [outputs, inputs a group, height, width] of ``source``, or a copy of it as one of 1x1."""

    source: str
    kernel: NDArray[np.float64]
    bias: NDArray[np.float64]
    group: int
    strides: tuple[int, int]
    pads: Pads
    nodes: tuple[NodeProto, ...]


def merge_branches(graph: Graph) -> int:
    """Write the sum of two convolutions of one tensor as one of them, in place.

    They have the same groups and strides, and their windows the same middle: the smaller kernel stands in
    the middle of the larger. One of the two may be the tensor itself, times and plus a number a channel.

    Returns:
        How many sums are gone.
    """
    return sum(_merge(graph, node) for node in graph.nodes if node.op_type == "Add")


def _merge(graph: Graph, add: NodeProto) -> bool:
    first, second = (_convolution(graph, name) for name in add.input)
    if first is None and second is not None:
        first = _copy(graph, add.input[0], second)
    elif second is None and first is not None:
        second = _copy(graph, add.input[1], first)
    if first is None or second is None or not _fit(first, second):
        return False
    large, small = (first, second) if first.kernel.shape[2:] >= second.kernel.shape[2:] else (second, first)
    margins = [(0, 0), (0, 0)] + [
        ((big - little) // 2,) * 2
        for big, little in zip(large.kernel.shape[2:], small.kernel.shape[2:], strict=True)
    ]
    kernel = large.kernel + np.pad(small.kernel, margins)
    _write(graph, add, large, kernel, large.bias + small.bias)
    for node in (*small.nodes, *large.nodes):
        graph.remove(node)
    graph.remove(add)
    return True


def _convolution(graph: Graph, name: str) -> _Branch | None:
    """A Conv with constant weights that nobody else reads."""
    conv = graph.producer(name)
    if conv is None or conv.op_type != "Conv" or graph.sole_consumer(name) is None:
        return None
    options = attributes(conv)
    plain = options.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    if not plain or any(step != 1 for step in options.get("dilations", ())):
        return None
    if not all(item in graph.constants for item in conv.input[1:]):
        return None
    kernel = graph.constants[conv.input[1]].astype(np.float64)
    if kernel.ndim != 4:
        return None
    bias = graph.constants[conv.input[2]] if len(conv.input) > 2 else np.zeros(len(kernel))
    top, left, bottom, right = options.get("pads", (0, 0, 0, 0))
    high, wide = options.get("strides", (1, 1))
    group = int(options.get("group", 1))
    pads, strides = (top, left, bottom, right), (high, wide)
    return _Branch(conv.input[0], kernel, bias.astype(np.float64), group, strides, pads, (conv,))


def _copy(graph: Graph, name: str, beside: _Branch) -> _Branch | None:
    """The other branch's input times and plus constants, as a convolution 1x1 of the same groups."""
    outputs, read = beside.kernel.shape[:2]
    if outputs != read * beside.group:
        return None
    scale, offset, nodes = np.ones(outputs), np.zeros(outputs), list[NodeProto]()
    while name != beside.source:
        node = graph.producer(name)
        by = _by_channel(graph, node, outputs)
        if node is None or by is None or graph.sole_consumer(name) is None:
            return None
        if node.op_type == "Mul":
            scale = scale * by
        else:
            offset = offset + by * scale
        nodes.append(node)
        name = next(item for item in node.input if item not in graph.constants)
    if not nodes:
        return None
    kernel = np.zeros((outputs, read, 1, 1))
    kernel[np.arange(outputs), np.arange(outputs) % read, 0, 0] = scale
    return _Branch(name, kernel, offset, beside.group, (1, 1), (0, 0, 0, 0), tuple(nodes))


def _by_channel(graph: Graph, node: NodeProto | None, channels: int) -> NDArray[np.float64] | None:
    if node is None or node.op_type not in ("Mul", "Add"):
        return None
    held = [value for name in node.input if (value := graph.constant(name)) is not None]
    if len(held) != 1 or held[0].ndim > 4:
        return None
    full = held[0].reshape((1,) * (4 - held[0].ndim) + held[0].shape).astype(np.float64)
    if full.shape not in ((1, channels, 1, 1), (1, 1, 1, 1)):
        return None
    return np.broadcast_to(full.reshape(-1), (channels,))


def _fit(first: _Branch, second: _Branch) -> bool:
    same = ("source", "group", "strides")
    if any(getattr(first, name) != getattr(second, name) for name in same):
        return False
    if first.kernel.shape[:2] != second.kernel.shape[:2]:
        return False
    wider = np.subtract(first.kernel.shape[2:], second.kernel.shape[2:])
    if not (np.all(wider >= 0) or np.all(wider <= 0)):
        return False
    apart = np.subtract(first.pads, second.pads)
    return bool(np.array_equal(2 * apart, [*wider, *wider]))


def _write(
    graph: Graph, add: NodeProto, like: _Branch, kernel: NDArray[np.float64], bias: NDArray[np.float64]
) -> None:
    name = like.nodes[0].name or add.output[0]
    parts = {"kernel": kernel, "bias": bias}
    own = [
        graph.add_constant(f"{name}/merged_{part}", values.astype(np.float32))
        for part, values in parts.items()
    ]
    conv = helper.make_node("Conv", [like.source, *own], [add.output[0]], name=name)
    options = {
        "group": like.group,
        "kernel_shape": list(kernel.shape[2:]),
        "pads": list(like.pads),
        "strides": list(like.strides),
    }
    conv.attribute.extend(helper.make_attribute(key, value) for key, value in options.items())
    graph.insert(add, conv, graph.shape(add.output[0]))
