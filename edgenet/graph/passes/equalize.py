"""Cross-layer equalization: give every channel of a tensor its share of the one int8 range.

A channel may be multiplied by a positive number where it is made and divided by it where it is read, as
long as all between is positively homogeneous (Nagel et al., arXiv 1906.04721, section 4.1). ReLU is; ReLU6
is not: multiplied by s, its limit becomes 6/s in the old units. Here the limit stays 6 in the new units, so
a factor above 1 lowers a channel's limit to 6/s. The caller must choose s so that the channel stays below
that limit; then the graph computes what it computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qdq.insert import clip_bounds
from edgenet.graph.qdq.movers import moves

__all__ = ["ChannelGroup", "channel_groups", "depthwise", "scale_channels"]

HOMOGENEOUS = ("Relu", "LeakyRelu", "PRelu", "GlobalAveragePool", "AveragePool", "MaxPool")


@dataclass
class ChannelGroup:
    """Tensors that share one factor a channel.

    Attributes:
        tensors: Their names, in graph order.
        makers: The convolutions that write into the group.
        readers: The convolutions that read from it.
        clips: The ReLU6 (or other Clip from zero) nodes within it.
    """

    tensors: list[str] = field(default_factory=list)
    makers: list[NodeProto] = field(default_factory=list)
    readers: list[NodeProto] = field(default_factory=list)
    clips: list[NodeProto] = field(default_factory=list)

    def limit(self, graph: Graph) -> float:
        """The smallest upper bound of its clips; infinite without one."""
        return min((clip_bounds(graph, node)[1] for node in self.clips), default=np.inf)


def depthwise(graph: Graph, conv: NodeProto) -> bool:
    """Whether every input channel of a convolution is a group of its own."""
    groups = int(attributes(conv).get("group", 1))
    return groups > 1 and groups == graph.shape(conv.input[0])[1] == len(graph.constants[conv.input[1]])


def channel_groups(graph: Graph) -> list[ChannelGroup]:
    """Every set of tensors whose channels can be scaled, in graph order.

    A set that touches the input, the output, or an operator that is not positively homogeneous is left out.
    """
    links, frozen = _links(graph)
    groups: dict[str, ChannelGroup] = {}
    for node in graph.nodes:
        name = node.output[0]
        group = groups.setdefault(links.get(name, name), ChannelGroup())
        group.tensors.append(name)
        if node.op_type == "Conv":
            group.makers.append(node)
            source = links.get(node.input[0], node.input[0])
            groups.setdefault(source, ChannelGroup()).readers.append(node)
        elif node.op_type == "Clip":
            group.clips.append(node)
    closed = {links.get(name, name) for name in frozen}
    return [item for root, item in groups.items() if root not in closed and item.makers and item.readers]


def scale_channels(graph: Graph, group: ChannelGroup, factors: NDArray[np.float64]) -> int:
    """Multiply every channel of a group in place.

    Args:
        graph: The graph.
        group: Of :func:`channel_groups` of this graph.
        factors: [channels], positive and finite.

    Returns:
        How many kernels were rewritten.
    """
    for conv in group.makers:
        kernel, bias = graph.constants[conv.input[1]], graph.constants[conv.input[2]]
        _replace(graph, conv, 1, kernel * factors[:, None, None, None])
        _replace(graph, conv, 2, bias * factors)
    for conv in group.readers:
        kernel = graph.constants[conv.input[1]]
        axis = 0 if depthwise(graph, conv) else 1
        shape = [1, 1, 1, 1]
        shape[axis] = len(factors)
        _replace(graph, conv, 1, kernel / factors.reshape(shape))
    return len(group.makers) + len(group.readers)


def _replace(graph: Graph, conv: NodeProto, index: int, value: NDArray[np.float64]) -> None:
    old = conv.input[index]
    name = f"{old.removesuffix('/equalized')}/equalized"
    graph.set_input(conv, index, graph.add_constant(name, value.astype(np.float32)))
    if not graph.consumers(old):
        del graph.constants[old]


def _links(graph: Graph) -> tuple[dict[str, str], set[str]]:
    """Tensor → the first tensor of its set, and the tensors that cannot be scaled."""
    above: dict[str, str] = {}
    frozen = {*graph.inputs, *graph.outputs}
    for node in graph.nodes:
        name, sources = node.output[0], [item for item in node.input if item not in graph.constants]
        if node.op_type == "Conv":
            if attributes(node).get("group", 1) != 1 and not depthwise(graph, node):
                frozen |= {name, *sources}
            continue
        if not _homogeneous(graph, node, sources):
            frozen |= {name, *sources}
            continue
        first = _top(above, sources[0])
        for item in (*sources, name):
            above[_top(above, item)] = first
    return {name: _top(above, name) for name in list(above)}, frozen


def _top(above: dict[str, str], name: str) -> str:
    """The first tensor of a set, each member of which names another one (union-find, the paths shortened)."""
    path = []
    while above.get(name, name) != name:
        path.append(name)
        name = above[name]
    above.update(dict.fromkeys(path, name))
    return name


def _homogeneous(graph: Graph, node: NodeProto, sources: list[str]) -> bool:
    if node.op_type == "Add":
        shapes = {graph.shape(name) for name in sources}
        return len(sources) == 2 and len(shapes) == 1
    if node.op_type == "Clip":
        low, high = clip_bounds(graph, node)
        return low == 0 and high > 0
    if moves(node) and node.op_type != "Transpose":
        return graph.shape(node.output[0])[:2] == graph.shape(node.input[0])[:2]
    return node.op_type in HOMOGENEOUS
