"""From a detector's outputs, however many there are, to one: scores of all anchors, then boxes, in a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnx

from edgenet.errors import ModelError
from edgenet.original.detector.constants import fold_constants
from edgenet.original.detector.ending import NONE, activations_of, score_ending
from edgenet.original.detector.heads import Head, check_columns, flat, named_heads
from edgenet.original.detector.nothing import drop_nothing
from edgenet.original.detector.told import completed
from edgenet.original.detector.wiring import Wiring, with_batch
from edgenet.preprocessing import Preprocessing

__all__ = ["Row", "row_of"]

ROW = "detections"
BOX, POINT = 4, 2  # numbers of a box, and of a point beside it
LOGITS, PROBABILITIES = "logits", "probabilities"
ONNX = ("", "ai.onnx")


class Row(NamedTuple):
    """A detector with one output.

    Attributes:
        settings: The card's, with what the graph says: columns, codes, activation.
        meaning: "logits" or "probabilities": what its scores are.
    """

    settings: Mapping[str, Any]
    meaning: str


def row_of(
    proto: onnx.ModelProto,
    settings: Mapping[str, Any],
    classes: int,
    preprocessing: Preprocessing,
    path: Path,
) -> Row:
    """Let a detector give one row of numbers, in place, whatever it gave before.

    The row is float32 [1, N * (C + K)]: the scores of every anchor, then the codes of every box, anchors in
    the order of the card. What decodes, picks or draws boxes behind that, and branches of anchors, are gone.

    Args:
        proto: As it was read.
        settings: The card's [detection].
        classes: How many classes the card names; 0 where it names none.
        preprocessing: The card's.
        path: For messages.

    Raises:
        ModelError: The card names what is not there, or what cannot be scores and boxes of its anchors.
    """
    with_batch(proto)
    wiring, opset = Wiring(proto, preprocessing, path), _opset(proto)
    if fold_constants(proto):
        wiring = Wiring(proto, preprocessing, path)
    drop_nothing(wiring)
    maps = _maps(settings)
    settings = completed(wiring, settings, classes, preprocessing.size, opset)
    heads = {key: named_heads(wiring, key, _told(settings, key, path)) for key in ("scores", "boxes")}
    codes = BOX + POINT * len(settings.get("points", ()))
    columns = _columns(settings, classes, heads, codes)
    named = f"{classes} classes" + (" and a background" if columns > classes else "")
    points = f", {BOX} of a box and {POINT} of each point" if codes > BOX else ""
    check_columns(wiring, "scores", heads["scores"], columns, named, heads["boxes"])
    check_columns(wiring, "boxes", heads["boxes"], codes, f"numbers of an anchor{points}", heads["scores"])
    _check_apart(heads, path)
    _check_rows(wiring, heads, columns, codes)
    activation, meaning = _activation(wiring, settings, heads, columns, opset)
    maps = maps or _maps(settings)
    parts = [
        flat(wiring, head, width, maps[at] if len(maps) == len(heads[key]) else None)
        for key, width in (("scores", columns), ("boxes", codes))
        for at, head in enumerate(heads[key])
    ]
    wiring.end_in(wiring.add("Concat", parts, ROW, axis=1))
    resolved = {"columns": columns, "codes": codes, "activation": activation}
    return Row({**settings, **resolved}, meaning)


def _told(settings: Mapping[str, Any], key: str, path: Path) -> Any:
    if key not in settings:
        raise ModelError(
            f"{path}: the card does not say which output is {key}", f"write {key} = NUMBER in [detection]"
        )
    return settings[key]


def _check_apart(heads: Mapping[str, Sequence[Head]], path: Path) -> None:
    """No tensor is both."""
    scores = {head.name for head in heads["scores"]}
    if both := next((head for head in heads["boxes"] if head.name in scores), None):
        raise ModelError(
            f"{path}: {both.told} is named as scores and as boxes",
            "name two tensors in [detection], one of each",
        )


def _columns(
    settings: Mapping[str, Any], classes: int, heads: Mapping[str, Sequence[Head]], codes: int
) -> int:
    """Score columns of an anchor; those of the file where the card names no classes."""
    shapes = {key: [head.shape for head in own] for key, own in heads.items()}
    if classes or any(shape is None for own in shapes.values() for shape in own):
        return max(classes, 1) + int(settings.get("background", NONE) != NONE)
    scores, boxes = (sum(math.prod(shape or ()) for shape in shapes[key]) for key in ("scores", "boxes"))
    return max(scores * codes // max(boxes, 1), 1)


def _check_rows(wiring: Wiring, heads: Mapping[str, Sequence[Head]], columns: int, codes: int) -> None:
    """Scores and boxes are of the same anchors, map by map where both come so."""
    scores, boxes = (
        [head.rows(width) for head in heads[key]] for key, width in (("scores", columns), ("boxes", codes))
    )
    if None in scores or None in boxes:
        return
    total = [sum(item or 0 for item in part) for part in (scores, boxes)]
    if total[0] != total[1]:
        raise ModelError(
            f"{wiring.path}: scores of {total[0]:,} anchors, and boxes of {total[1]:,}",
            "name scores and boxes of the same anchors in [detection]",
        )
    if len(scores) == len(boxes) and scores != boxes:
        raise ModelError(
            f"{wiring.path}: maps of {scores} anchors in scores, and of {boxes} in boxes",
            "list the maps in one order in scores and boxes",
        )


def _activation(
    wiring: Wiring, settings: Mapping[str, Any], heads: Mapping[str, Sequence[Head]], columns: int, opset: int
) -> tuple[str, str]:
    """What lies between logits and probabilities, and which of them the graph gives."""
    inside, told = (
        score_ending(wiring, heads["scores"], columns, opset),
        settings.get("score_activation", NONE),
    )
    behind = activations_of(wiring, heads["boxes"])
    if behind and inside == NONE:
        raise ModelError(
            f"{wiring.path}: the boxes are behind a {behind[0]} in the file, and the scores are not",
            "exchange scores and boxes in [detection]",
        )
    if inside == NONE:
        return told, PROBABILITIES if told == NONE else LOGITS
    if told not in (NONE, inside):  # one that the graph ends in is not applied again
        raise ModelError(
            f"{wiring.path}: the scores are behind a {inside} in the file, and the card applies {told} to it",
            'write score_activation = "none"',
        )
    return inside, PROBABILITIES


def _maps(settings: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Height and width of every map, where the card says them."""
    anchors = settings.get("anchors")
    told = anchors.get("maps", ()) if isinstance(anchors, Mapping) else ()
    return [(side, side) if isinstance(side, int) else (side[0], side[1]) for side in told]


def _opset(proto: onnx.ModelProto) -> int:
    found: int = next((item.version for item in proto.opset_import if item.domain in ONNX), 0)
    return found
