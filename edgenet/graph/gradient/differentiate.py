"""Reverse-mode differentiation of a graph, as more nodes of the same graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from onnx import NodeProto

from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.gradient.rules import RULES, has_rule
from edgenet.graph.graph import Graph

__all__ = ["differentiable", "differentiate"]


def differentiable(graph: Graph, names: Collection[str]) -> bool:
    """Whether the gradient of every operator behind some tensors is known here."""
    return all(has_rule(node) for node in _behind(graph, names))


def differentiate(emit: Emitter, ends: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """Write the gradients of a scalar with respect to some of a graph's tensors.

    Args:
        emit: Writes into the graph.
        ends: Tensors → the scalar's gradients with respect to them.
        names: The tensors, float32.

    Returns:
        The names of their gradients, without those of tensors that the ends do not depend on.

    Raises:
        KeyError: An operator has no rule; see :func:`differentiable`.
    """
    grads, path = dict(ends), _behind(emit.graph, names)
    moving = {name for node in path for name in node.output} | set(names)
    for node in reversed(path):
        grad = grads.get(node.output[0])
        for index, name in enumerate(node.input):
            if grad is not None and name in moving:
                found = RULES[node.op_type](emit, node, grad, index)
                grads[name] = emit.plus(grads[name], found) if name in grads else found
    return {name: grads[name] for name in names if name in grads}


def _behind(graph: Graph, names: Collection[str]) -> list[NodeProto]:
    """The nodes that depend on some tensors, in order."""
    moving, found = set(names), []
    for node in graph.nodes:
        if not moving.isdisjoint(node.input):
            moving.update(node.output)
            found.append(node)
    return found
