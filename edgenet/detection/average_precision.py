"""Average precision as COCO defines it, of two detectors on the same pictures.

Held to pycocotools 2.0.11 (``COCOeval`` of boxes, all areas, 100 detections; tests/detection): the matching
of one detection to one object, crowds that count neither way, 101 points of recall, and the mean
over the classes that some picture has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["THRESHOLDS", "Objects", "Precision", "intersections"]

# Intersections over union that count as found; the first is that of mAP@0.5.
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100


class Objects(NamedTuple):
    """What is in a picture: the truth, or what a detector found, which has scores.

    Attributes:
        classes: int [n].
        boxes: float64 [n, 4]: x, y, width, height in pixels of the picture.
        crowd: bool [n]: regions of many objects; of detections all False.
        scores: float64 [n]; of the truth all 1.
    """

    classes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    scores: NDArray[np.float64]


class _Judged(NamedTuple):
    """All detections of one class, the best first.

    Attributes:
        pictures: int [d]: which one each is in.
        right: For each threshold the places of those that are right.
        ignored: For each threshold the places of those that do not count.
        before: For each threshold how many of ``ignored`` come before each of ``right``.
        objects: int [pictures]: how many objects there are, crowds left out.
    """

    pictures: NDArray[np.int64]
    right: list[NDArray[np.int64]]
    ignored: list[NDArray[np.int64]]
    before: list[NDArray[np.int64]]
    objects: NDArray[np.int64]


class Precision:
    """Judges one detector's answers once; the pictures can be drawn again for a bootstrap.

    Args:
        truth: Of each picture.
        found: By the detector, in the same order.

    Attributes:
        pictures: How many there are.
    """

    def __init__(self, truth: Sequence[Objects], found: Sequence[Objects]) -> None:
        known = np.unique(np.concatenate([own.classes for own in truth]))
        self.pictures = len(truth)
        self._by_class = {int(index): _judged(truth, found, int(index)) for index in known}

    def classes(self) -> list[int]:
        """Those that some picture has."""
        return [index for index, judged in self._by_class.items() if judged.objects.any()]

    def objects(self, index: int) -> int:
        """How many of a class there are."""
        return int(self._by_class[index].objects.sum())

    def holds(self, drawn: NDArray[np.int64]) -> bool:
        """Whether pictures that are drawn so often have any object."""
        return any((judged.objects * drawn).any() for judged in self._by_class.values())

    def of_class(self, index: int) -> NDArray[np.float64]:
        """Average precision at each of ``THRESHOLDS``, [10], of one of :meth:`classes`."""
        return self._drawn(self._by_class[index], np.ones(self.pictures, np.int64))

    def curve(self, index: int) -> NDArray[np.float64]:
        """Precision of a class at 101 points of recall, at an intersection over union of 0.5."""
        judged = self._by_class[index]
        return np.asarray(_curve(judged, np.ones(self.pictures, np.int64), int(judged.objects.sum()))[0])

    def mean(self, drawn: NDArray[np.int64] | None = None) -> tuple[float, float]:
        """mAP at 0.5, and its mean over all thresholds; of pictures with at least one object.

        Args:
            drawn: How often each picture counts, [pictures]; once by default.
        """
        weights = np.ones(self.pictures, np.int64) if drawn is None else drawn
        judged = [own for own in self._by_class.values() if (own.objects * weights).any()]
        each = [self._drawn(own, weights) for own in judged]
        return float(np.mean([own[0] for own in each])), float(np.mean(each))

    def _drawn(self, judged: _Judged, weights: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(_curve(judged, weights, int((judged.objects * weights).sum())).mean(axis=1))


def intersections(
    found: NDArray[np.float64], true: NDArray[np.float64], crowd: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Intersection over union of every pair [n, m] of x, y, width, height; over the found box at a crowd."""
    low = np.maximum(found[:, None, :2], true[None, :, :2])
    high = np.minimum((found[:, :2] + found[:, 2:])[:, None], (true[:, :2] + true[:, 2:])[None])
    inside = np.maximum(high - low, 0.0).prod(axis=2)
    own = found[:, 2:].prod(axis=1)[:, None]
    union = np.where(crowd[None], own, own + true[:, 2:].prod(axis=1)[None] - inside)
    return np.asarray(np.divide(inside, union, out=np.zeros_like(inside), where=inside > 0))


def _judged(truth: Sequence[Objects], found: Sequence[Objects], index: int) -> _Judged:
    each = [_picture(*pair, index) for pair in zip(truth, found, strict=True)]
    scores = np.concatenate([scores for scores, *_ in each])
    order = np.argsort(-scores, kind="mergesort")
    pictures = np.repeat(np.arange(len(each)), [len(scores) for scores, *_ in each])
    marks = [np.concatenate([item[at] for item in each], axis=1)[:, order] for at in (1, 2)]
    right, ignored = ([np.flatnonzero(row) for row in own] for own in marks)
    before = [np.searchsorted(gone, hits) for hits, gone in zip(right, ignored, strict=True)]
    objects = np.asarray([(~own.crowd[own.classes == index]).sum() for own in truth], np.int64)
    return _Judged(pictures[order], right, ignored, before, objects)


def _picture(
    truth: Objects, found: Objects, index: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores of a class's detections in one picture, the best first; which are right; which do not count."""
    own, given = truth.classes == index, np.flatnonzero(found.classes == index)
    given = given[np.argsort(-found.scores[given], kind="mergesort")][:MOST]
    boxes, crowd = truth.boxes[own], truth.crowd[own]
    boxes, crowd = (item[np.argsort(crowd, kind="mergesort")] for item in (boxes, crowd))
    near = intersections(found.boxes[given], boxes, crowd)
    nearest = near.max(axis=1, initial=0.0)
    right = np.zeros((len(THRESHOLDS), len(given)), bool)
    ignored = np.zeros_like(right)
    for at, threshold in enumerate(THRESHOLDS):
        taken = np.zeros(len(boxes), bool)
        for number in np.flatnonzero(nearest >= threshold):
            best = _match(near[number], threshold, taken, crowd)
            if best is None:
                continue
            taken[best] = True
            ignored[at, number] = crowd[best]
            right[at, number] = not crowd[best]
    return found.scores[given], right, ignored


def _match(
    near: NDArray[np.float64], threshold: float, taken: NDArray[np.bool_], crowd: NDArray[np.bool_]
) -> int | None:
    """The object that a detection is of: the nearest that is free, else a crowd; the last one of equals."""
    able = near >= threshold
    for kind in (able & ~crowd & ~taken, able & crowd):
        if kind.any():
            candidates = np.flatnonzero(kind)
            return int(candidates[len(candidates) - 1 - near[candidates][::-1].argmax()])
    return None


def _curve(judged: _Judged, weights: NDArray[np.int64], objects: int) -> NDArray[np.float64]:
    """Precision at 101 points of recall for every threshold, [10, 101]: the best at that recall or above.

    Recall grows at right detections alone, and precision is best there, so that only these are looked at.
    """
    counted = weights[judged.pictures]
    so_far = np.cumsum(counted)
    made = np.zeros((len(THRESHOLDS), len(RECALLS)))
    for at, (right, ignored, before) in enumerate(
        zip(judged.right, judged.ignored, judged.before, strict=True)
    ):
        if not len(right):
            continue
        hits, total = np.cumsum(counted[right]), so_far[right]
        if len(ignored):
            total = total - np.concatenate([[0], np.cumsum(counted[ignored])])[before]
        best = np.maximum.accumulate((hits / (total + np.spacing(1.0)))[::-1])[::-1]
        places = np.searchsorted(hits / objects, RECALLS, side="left")
        held = places < len(best)
        made[at, held] = best[places[held]]
    return made
