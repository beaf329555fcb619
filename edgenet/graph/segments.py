"""Cut a graph into the steps that an int8 runtime takes: each reads int8 tensors and writes one."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.graph.graph import Graph

__all__ = ["Step", "behind", "steps", "subgraph"]


@dataclass(frozen=True)
class Step:
    """Nodes that run between rounded tensors.

    Attributes:
        output: The tensor that is rounded when the step is done.
        inputs: The rounded tensors (or the pixels) that it reads.
        nodes: In topological order.
        conv: The convolution among the nodes, if there is one.
    """

    output: str
    inputs: tuple[str, ...]
    nodes: tuple[NodeProto, ...]
    conv: NodeProto | None

    @property
    def name(self) -> str:
        """Of its convolution, else of the node that writes its output."""
        node = self.conv or self.nodes[-1]
        return str(node.name or node.output[0])


def steps(graph: Graph, rounded: Collection[str]) -> list[Step]:
    """The steps that make each of the rounded tensors, in graph order.

    Args:
        graph: A prepared float graph.
        rounded: Names of the tensors that are int8.
    """
    found = []
    ends = {*rounded, *graph.inputs}
    for node in graph.nodes:
        if node.output[0] not in rounded:
            continue
        nodes, inputs = behind(graph, node, ends)
        convs = [item for item in nodes if item.op_type == "Conv"]
        found.append(Step(node.output[0], inputs, nodes, convs[0] if convs else None))
    return found


def subgraph(
    graph: Graph,
    nodes: Sequence[NodeProto],
    inputs: Sequence[str],
    outputs: Sequence[str],
    constants: Mapping[str, NDArray[Any]] | None = None,
) -> onnx.ModelProto:
    """Some nodes as a graph of their own.

    Args:
        graph: Where the nodes stand.
        nodes: In topological order.
        inputs: The tensors to feed: float32 of any shape, or the graph's own input.
        outputs: The tensors to give.
        constants: Values to use in place of the graph's own, by name.
    """
    values = ChainMap(dict(constants or {}), graph.constants)
    used = dict.fromkeys(name for node in nodes for name in node.input if name in values)
    body = helper.make_graph(
        list(nodes),
        "part",
        [graph.inputs.get(name) or _float(name) for name in inputs],
        [_float(name) for name in outputs],
        [numpy_helper.from_array(values[name], name) for name in used],
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", graph.opset)], ir_version=8)


def behind(
    graph: Graph, last: NodeProto, ends: Collection[str]
) -> tuple[tuple[NodeProto, ...], tuple[str, ...]]:
    """The nodes between the ends and a node, itself included, and the ends that they read."""
    found, reached, waiting = {id(last): last}, set[str](), [last]
    while waiting:
        for name in waiting.pop().input:
            if name in ends:
                reached.add(name)
                continue
            node = graph.producer(name)
            if node is not None and id(node) not in found:
                found[id(node)] = node
                waiting.append(node)
    return tuple(graph.ordered(found.values())), tuple(sorted(reached))


def _float(name: str) -> onnx.ValueInfoProto:
    value = onnx.ValueInfoProto(name=name)
    value.type.tensor_type.elem_type = TensorProto.FLOAT
    return value
