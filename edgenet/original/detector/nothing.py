"""Operators that do nothing once sizes are known: paddings of none, joins of one, the size that is there."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper

from edgenet.original.detector.wiring import Wiring, attribute

__all__ = ["drop_nothing"]


def drop_nothing(wiring: Wiring) -> int:
    """Turn them into Identity, and a Gather of the only slice into a Reshape, in place; returns how many."""
    changed = 0
    for node in list(wiring.graph.node):
        if _does_nothing(wiring, node):
            node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output, node.name))
            changed += 1
        elif _takes_all(wiring, node):
            sides = np.array(wiring.shape(node.output[0]), np.int64)
            shape = wiring.keep(f"{node.output[0]}/shape", sides)
            node.CopyFrom(helper.make_node("Reshape", [node.input[0], shape], node.output, node.name))
            changed += 1
    return changed


def _does_nothing(wiring: Wiring, node: NodeProto) -> bool:
    if node.op_type == "Concat":
        return len(node.input) == 1
    before, after = (wiring.shape(names[0]) if names else None for names in (node.input, node.output))
    if before is None or before != after:
        return False
    if node.op_type == "Pad":
        amounts = wiring.constant(node.input[1]) if len(node.input) > 1 else None
        return amounts is not None and not amounts.any()
    return node.op_type in ("Expand", "Reshape", "Resize") and not _resamples(node)


def _resamples(node: NodeProto) -> bool:
    """Whether a Resize of the same size reads other places than the pixels themselves."""
    return (
        node.op_type == "Resize"
        and attribute(node, "coordinate_transformation_mode") == b"tf_crop_and_resize"
    )


def _takes_all(wiring: Wiring, node: NodeProto) -> bool:
    """Whether a Gather takes the one slice that there is."""
    before, after = (wiring.shape(names[0]) if names else None for names in (node.input, node.output))
    if node.op_type != "Gather" or before is None or after is None:
        return False
    return int(np.prod(before)) == int(np.prod(after)) and before[attribute(node, "axis", 0)] == 1
