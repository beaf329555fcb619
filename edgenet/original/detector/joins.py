"""A detector's heads by their form: tensors that join what several convolutions give, one a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import NodeProto

from edgenet.original.detector.wiring import MOVES, Wiring

__all__ = ["Join", "heads_by_form"]

BOX = 4
ACTIVATIONS = ("Sigmoid", "Softmax")
BEFORE = 32  # nodes between a convolution and the end of its head, at most
AFTER = 12  # nodes behind a head among which its activation is looked for
# What may stand between a convolution and the end of its head.
KEPT = (*MOVES, *ACTIVATIONS, "Add", "BatchNormalization")


@dataclass(frozen=True)
class Join:
    """A tensor of all maps.

    Attributes:
        name: In the graph; behind its activation, where one follows.
        channels: What the convolution of every map gives.
        activated: Whether a Sigmoid or Softmax is within it.
    """

    name: str
    channels: tuple[int, ...]
    activated: bool


def heads_by_form(wiring: Wiring, columns: int) -> tuple[str, str] | None:
    """The tensors of scores and of boxes; ``None`` where no two, or more, can be them.

    Args:
        wiring: A graph.
        columns: Scores of an anchor, where the card tells; else 0.
    """
    found = _joins(wiring)
    pairs = {
        (scores.name, boxes.name): scores.activated
        for scores in found
        for boxes in found
        if scores.name != boxes.name and _fit(scores, boxes, columns)
    }
    sure = [pair for pair, activated in pairs.items() if activated] or list(pairs)
    return sure[0] if len(sure) == 1 else None


def _fit(scores: Join, boxes: Join, columns: int) -> bool:
    """Whether both are of the same anchors, by the channels of their convolutions."""
    if len(scores.channels) != len(boxes.channels) or boxes.activated:
        return False
    if any(own % BOX for own in boxes.channels):
        return False
    ratios = {own * BOX / other for own, other in zip(scores.channels, boxes.channels, strict=True)}
    ratio = ratios.pop()
    return not ratios and ratio.is_integer() and ratio >= 1 and columns in (0, int(ratio))


def _joins(wiring: Wiring) -> list[Join]:
    """All tensors that join convolutions, the last of every one; for one map alone what is reshaped."""
    found: dict[tuple[str, ...], Join] = {}
    for node in wiring.graph.node:
        if node.op_type not in ("Concat", "Reshape"):
            continue
        convs = _convolutions(wiring, node)
        several = len(convs) > 1 if node.op_type == "Concat" else len(convs) == 1
        channels = tuple(_channels(wiring, conv) for conv in convs)
        if not several or len({conv.output[0] for conv in convs}) < len(convs) or 0 in channels:
            continue
        name, activated = _behind(wiring, node.output[0])
        shape = wiring.shape(name)
        if node.op_type == "Concat" or (shape is not None and len(shape) < len((1, 3, 1, 1))):
            found[tuple(conv.output[0] for conv in convs)] = Join(name, channels, activated)
    several = any(len(convs) > 1 for convs in found)
    return [join for convs, join in found.items() if len(convs) > 1 or not several]


def _convolutions(wiring: Wiring, node: NodeProto) -> list[NodeProto]:
    """The convolutions that a node's first input, or every one of a Concat, is of; none where one is not."""
    found = []
    for name in node.input if node.op_type == "Concat" else node.input[:1]:
        made = wiring.makers.get(name)
        for _ in range(BEFORE):
            if made is None or made.op_type not in KEPT:
                break
            made = wiring.makers.get(made.input[0])
        if made is None or made.op_type != "Conv":
            return []
        found.append(made)
    return found


def _channels(wiring: Wiring, conv: NodeProto) -> int:
    weights = wiring.shape(conv.input[1])
    return weights[0] if weights else 0


def _behind(wiring: Wiring, name: str) -> tuple[str, bool]:
    """A head's last tensor: behind the activation that follows it, and whether one does, or did before."""
    inner, own = wiring.makers.get(name), name
    for _ in range(AFTER):
        readers = wiring.readers.get(own, [])
        if len(readers) != 1 or readers[0].op_type not in (*MOVES, *ACTIVATIONS):
            break
        own = readers[0].output[0]
        if readers[0].op_type in ACTIVATIONS:
            return own, True
    return name, inner is not None and _is_activated(wiring, inner)


def _is_activated(wiring: Wiring, node: NodeProto) -> bool:
    parts: Sequence[str] = node.input if node.op_type == "Concat" else node.input[:1]
    for part in parts:
        made = wiring.makers.get(part)
        for _ in range(BEFORE):
            if made is None or made.op_type not in KEPT:
                break
            if made.op_type in ACTIVATIONS:
                return True
            made = wiring.makers.get(made.input[0])
    return False
