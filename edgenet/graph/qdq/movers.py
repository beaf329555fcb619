"""Operators that move numbers and change none: what they give is on the scale of what they read."""

from __future__ import annotations

from onnx import NodeProto

from edgenet.graph.graph import attributes

__all__ = ["SHAPE_ONLY", "is_nearest", "moves"]

SHAPE_ONLY = ("Flatten", "Reshape", "Slice", "Squeeze", "Transpose")


def moves(node: NodeProto) -> bool:
    """Whether a node gives numbers that it reads, and no other."""
    return node.op_type in SHAPE_ONLY or is_nearest(node)


def is_nearest(node: NodeProto) -> bool:
    """Whether a node resizes a picture by its nearest pixels, whatever number they are."""
    return node.op_type == "Resize" and attributes(node).get("mode", b"nearest") == b"nearest"
