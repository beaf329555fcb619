"""Reshapes in a row are one, and one that changes nothing is none."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes

__all__ = ["merge_reshapes"]

RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")


def merge_reshapes(graph: Graph) -> int:
    """Let a Flatten, Reshape, Squeeze or Unsqueeze of another one read what that one reads, in place.

    So is a Gather that takes all numbers of a row in their order: PyTorch's dynamo exporter writes the
    ``as_strided`` of adaptive pooling as one. What is left is a Flatten where it gives [1, values], else a
    Reshape to a constant shape.

    Returns:
        How many nodes were rewritten or removed.
    """
    gathers = sum(_take_in_order(graph, node) for node in list(graph.nodes) if node.op_type == "Gather")
    return gathers + sum(_merge(graph, node) for node in graph.nodes if node.op_type in RESHAPES)


def _take_in_order(graph: Graph, node: NodeProto) -> bool:
    row, places = graph.shape(node.input[0]), graph.constants.get(node.input[1])
    if len(row) != 1 or not row[0] or places is None or places.size != row[0]:
        return False
    if not (places.ravel() == np.arange(row[0])).all():
        return False
    _replace(graph, node, node.input[0], places.shape)
    return True


def _merge(graph: Graph, node: NodeProto) -> bool:
    shape = graph.shape(node.output[0])
    if not shape or not all(shape):
        return False
    before = graph.producer(node.input[0])
    behind = before is not None and before.op_type in RESHAPES and not graph.is_output(before.output[0])
    source = before.input[0] if before is not None and behind else node.input[0]
    old = node.input[0]
    if graph.shape(source) == shape and graph.can_bypass(node):
        graph.set_inputs(node, [source, *node.input[1:]])
        graph.bypass(node)
    elif source != old or node.op_type != _form(node, shape):
        _replace(graph, node, source, shape)
    else:
        return False
    if source != old and before is not None and not graph.consumers(before.output[0]):
        graph.remove(before)
    return True


def _form(node: NodeProto, shape: tuple[int, ...]) -> str:
    plain = node.op_type != "Flatten" or attributes(node).get("axis", 1) == 1
    return "Flatten" if len(shape) == 2 and shape[0] == 1 and plain else "Reshape"


def _replace(graph: Graph, node: NodeProto, source: str, shape: tuple[int, ...]) -> None:
    name, out = node.name or node.output[0], node.output[0]
    if len(shape) == 2 and shape[0] == 1 and graph.shape(source)[:1] == (1,):
        made = helper.make_node("Flatten", [source], [out], name=name, axis=1)
    else:
        wanted = graph.add_constant(f"{out}/shape", np.array(shape, np.int64))
        made = helper.make_node("Reshape", [source, wanted], [out], name=name)
    graph.insert(node, made, shape)
    graph.remove(node)
