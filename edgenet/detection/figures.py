"""The figures of a detector's drift: what became of its boxes, and its precision against the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.detection.detector import Found
from edgenet.detection.average_precision import Precision
from edgenet.detection.drift import ClassPrecision
from edgenet.detection.matching import Matched, matched
from edgenet.detection.truth import TruePicture
from edgenet.drift import Place

__all__ = ["box_figures", "notes", "places", "precision_figures"]

ROUNDS = 1000
# Objects of one picture that a report keeps, the most certain ones.
PLACES = 50
NAMED = 5


def box_figures(pairs: Sequence[tuple[Found, Found]], faint: Sequence[Found]) -> Mapping[str, Any]:
    """Boxes of the board that are the float model's.

    Args:
        pairs: What board and float model show on each image.
        faint: What the board finds there with half the score too.
    """
    found = [matched(board, reference) for board, reference in pairs]
    kept = sum(len(item.pairs) for item in found)
    boxes, references = (sum(len(pair[at].scores) for pair in pairs) for at in (0, 1))
    whole = zip(pairs, found, faint, strict=True)
    below = sum(_below(reference, item, every) for (_, reference), item, every in whole)
    overlap = np.concatenate([item.overlap for item in found])
    shifts = [
        board.scores[item.pairs[:, 0]] - reference.scores[item.pairs[:, 1]]
        for (board, reference), item in zip(pairs, found, strict=True)
    ]
    return {
        "boxes": boxes,
        "boxes_reference": references,
        "boxes_kept": kept / references if references else None,
        "boxes_lost": 1.0 - kept / references if references else None,
        "boxes_below": below / references if references else None,
        "boxes_new": 1.0 - kept / boxes if boxes else None,
        "mean_iou": float(overlap.mean()) if kept else None,
        "score_shift": float(np.concatenate(shifts).mean(dtype=np.float64)) if kept else None,
    }


def _below(reference: Found, found: Matched, every: Found) -> int:
    """How many of the float model's lost boxes the board finds at the same place with a lower score."""
    lost = Found(*(part[found.lost] for part in reference))
    taken = np.zeros(len(every.scores), bool)
    taken[found.pairs[:, 0]] = True  # the best ones come first, so these are the same boxes in both
    return len(matched(Found(*(part[~taken] for part in every)), lost).pairs)


def precision_figures(
    board: Precision, reference: Precision, name: Callable[[int], str]
) -> Mapping[str, Any]:
    """mAP of both, the difference with its interval, each class, and the curves.

    The interval is the percentile bootstrap over the images, the same ones for both (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, section 13.3).
    """
    ours, theirs = board.mean(), reference.mean()
    low, high = _intervals(board, reference)
    classes = board.classes()
    return {
        "map50": ours[0],
        "map50_reference": theirs[0],
        "map50_delta": ours[0] - theirs[0],
        "map50_interval": (low[0], high[0]),
        "map": ours[1],
        "map_reference": theirs[1],
        "map_delta": ours[1] - theirs[1],
        "map_interval": (low[1], high[1]),
        "interval_pp": (100.0 * low[0], 100.0 * high[0]),
        "by_class": _by_class(board, reference, name),
        "curve": tuple(np.mean([board.curve(index) for index in classes], axis=0).tolist()),
        "curve_reference": tuple(np.mean([reference.curve(index) for index in classes], axis=0).tolist()),
    }


def _intervals(board: Precision, reference: Precision) -> tuple[list[float], list[float]]:
    """Lower and upper ends of the differences of (mAP@0.5, mAP@[.5:.95])."""
    chance, count = np.random.default_rng(0), board.pictures
    drawn: list[NDArray[np.float64]] = []
    for _ in range(ROUNDS):
        often = np.bincount(chance.integers(0, count, count), minlength=count)
        if board.holds(often):
            drawn.append(np.subtract(board.mean(often), reference.mean(often)))
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    return low.tolist(), high.tolist()


def _by_class(
    board: Precision, reference: Precision, name: Callable[[int], str]
) -> tuple[ClassPrecision, ...]:
    rows = [
        ClassPrecision(
            name=name(index),
            objects=board.objects(index),
            ap50=float(board.of_class(index)[0]),
            ap50_reference=float(reference.of_class(index)[0]),
        )
        for index in board.classes()
    ]
    return tuple(sorted(rows, key=lambda row: row.ap50 - row.ap50_reference))


def places(found: Found, name: Callable[[int], str]) -> tuple[Place, ...]:
    """The best objects of a picture as a report keeps them; what lies outside of it is cut off."""
    boxes = np.clip(found.boxes[:PLACES], 0.0, 1.0).round(4).tolist()
    scores = (
        [None] * len(boxes)
        if found.scores is None
        else np.round(found.scores[:PLACES].astype(float), 4).tolist()
    )
    named = zip(found.classes[:PLACES].tolist(), boxes, scores, strict=True)
    return tuple(Place(label=name(index), box=tuple(box), score=score) for index, box, score in named)


def notes(truth: Sequence[TruePicture]) -> str | None:
    """What of the truth is not judged or cannot be found, in words; ``None`` where all of it is."""
    unknown = Counter(name for picture in truth for name in picture.unknown)
    odd = sum(picture.odd for picture in truth)
    crowds = sum(int(picture.objects.crowd.sum()) for picture in truth)
    parts = []
    if unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        told = ", ".join(name for name, _ in unknown.most_common(NAMED))
        parts.append(f"{unknown.total()} objects of no class of the model ({told}{more})")
    if crowds:
        parts.append(f"{crowds} regions of many objects (iscrowd)")
    if odd:
        parts.append(f"{odd} objects without an area or outside of their picture, which no box can find")
    return "; ".join(parts) or None
