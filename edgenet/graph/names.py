"""Tensors and nodes of a user's graph that are called as edgenet calls its own get other names."""

from __future__ import annotations

import onnx

__all__ = ["free_names"]

# ``pixels`` and what begins with ``pixels/`` stand before the first layer, ``label`` behind the last one.
OWN = ("pixels", "label")
GIVEN = "given"


def free_names(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The graph, or a copy in which all that has a name of ours is called ``given/`` and that name."""
    graph = proto.graph
    values = {name for node in graph.node for name in (*node.input, *node.output)}
    values |= {item.name for item in (*graph.input, *graph.output, *graph.initializer)}
    values |= {node.name for node in graph.node}
    taken = {name for name in values if name.partition("/")[0] in OWN}
    if not taken:
        return proto
    names = {name: _fresh(name, values) for name in taken}
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for node in copy.graph.node:
        node.name = names.get(node.name, node.name)
        for side in (node.input, node.output):
            for index, name in enumerate(side):
                side[index] = names.get(name, name)
    for listed in (copy.graph.input, copy.graph.output, copy.graph.initializer, copy.graph.value_info):
        for item in listed:
            item.name = names.get(item.name, item.name)
    return copy


def _fresh(name: str, values: set[str]) -> str:
    fresh = f"{GIVEN}/{name}"
    while fresh in values:
        fresh = f"{GIVEN}/{fresh}"
    return fresh
