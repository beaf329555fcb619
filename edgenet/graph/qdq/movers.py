"""Operators that move numbers, or give some between them: these are on the scale of what they read."""

from __future__ import annotations

from collections.abc import Container

from onnx import NodeProto

from edgenet.graph.graph import Graph, attributes

__all__ = ["SHAPE_ONLY", "is_nearest", "moved_from", "moves"]

SHAPE_ONLY = ("Flatten", "Reshape", "Slice", "Squeeze", "Transpose")


def moves(node: NodeProto) -> bool:
    """Whether no number that a node gives is beyond those that it reads and zero: it needs no range."""
    if node.op_type == "Pad":
        return len(node.input) == 2  # with zeros, or with its own numbers
    if node.op_type == "Resize":
        return bool(attributes(node).get("mode", b"nearest") != b"cubic")  # which overshoots
    return node.op_type in (*SHAPE_ONLY, "MaxPool")


def is_nearest(node: NodeProto) -> bool:
    """Whether a node resizes a picture by its nearest pixels, whatever number they are."""
    return node.op_type == "Resize" and attributes(node).get("mode", b"nearest") == b"nearest"


def moved_from(graph: Graph, name: str, known: Container[str]) -> str | None:
    """The known tensor on whose scale a tensor is, itself or behind what moves; ``None`` without one."""
    while name not in known:
        node = graph.producer(name)
        if node is None or not moves(node):
            return None
        name = node.input[0]
    return name
