"""What a detector's scores end in: logits, or what a Softmax or a Sigmoid makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto, helper

from edgenet.errors import ModelError
from edgenet.original.detector.heads import Head
from edgenet.original.detector.wiring import MOVES, Wiring, attribute

__all__ = ["NONE", "activations_of", "score_ending"]

NONE = "none"
ENDINGS = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
ROUNDING = ("QuantizeLinear", "DequantizeLinear")
SINGLE_AXIS_SOFTMAX = 13  # the first operator set in which it is over one axis
IMAGE_RANK = 4


def score_ending(wiring: Wiring, heads: Sequence[Head], columns: int, opset: int) -> str:
    """How scores become probabilities inside a graph: "softmax", "sigmoid" or "none".

    Where they do, rounding behind it is taken out in place: what is rounded to 256 steps has no logits.

    Raises:
        ModelError: The heads end in different ways, or a Softmax is over something else than the columns.
    """
    nodes = [node for head in heads for node in _endings(wiring, head.name)]
    found = {ENDINGS.get(node.op_type, NONE) if node is not None else NONE for node in nodes}
    if len(found) != 1:
        raise ModelError(
            f"{wiring.path}: some of the scores end in {' and '.join(sorted(found - {NONE}))}, others do not",
            "name tensors that are all probabilities, or all logits",
        )
    for node in nodes:
        if node is not None and node.op_type == "Softmax" and not _over_columns(wiring, node, columns, opset):
            raise ModelError(
                f"{wiring.path}: Softmax {node.name!r} is not over the {columns} columns of an anchor",
                "name the scores before it",
            )
    (ending,) = found
    if ending != NONE:
        _drop_rounding(wiring, heads)
    return ending


def activations_of(wiring: Wiring, heads: Sequence[Head]) -> list[str]:
    """The operators among Softmax and Sigmoid that give some tensors' numbers."""
    nodes = [node for head in heads for node in _endings(wiring, head.name)]
    return sorted({node.op_type for node in nodes if node is not None and node.op_type in ENDINGS})


def _endings(wiring: Wiring, name: str) -> list[NodeProto | None]:
    """The nodes that compute a tensor's numbers, before those that move and join them."""
    found: list[NodeProto | None] = []
    waiting, seen = [name], set()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        node = wiring.makers.get(at)
        if node is not None and node.op_type in (*MOVES, "Concat"):
            waiting += node.input if node.op_type == "Concat" else node.input[:1]
        else:
            found.append(node)
    return found


def _over_columns(wiring: Wiring, node: NodeProto, columns: int, opset: int) -> bool:
    shape = wiring.shape(node.input[0])
    if shape is None:
        return True
    axis = attribute(node, "axis", -1 if opset >= SINGLE_AXIS_SOFTMAX else 1) % max(len(shape), 1)
    behind = shape[axis + 1 :] if opset < SINGLE_AXIS_SOFTMAX else ()
    return shape[axis] == columns and all(side == 1 for side in behind)


def _drop_rounding(wiring: Wiring, heads: Sequence[Head]) -> None:
    """Let what rounds probabilities be nothing, in place."""
    waiting, seen = [head.name for head in heads], set()
    while waiting:
        at = waiting.pop()
        node = wiring.makers.get(at)
        if at in seen or node is None or node.op_type not in (*MOVES, "Concat"):
            continue
        seen.add(at)
        waiting += node.input if node.op_type == "Concat" else node.input[:1]
        if node.op_type in ROUNDING:
            node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output, node.name))
