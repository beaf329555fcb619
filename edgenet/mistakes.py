"""Counting what is taken for what: class by class, pair by pair, and as a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.confusion_matrix import ClassAccuracy, ConfusionMatrix, Mistake

__all__ = ["taken_for"]

# Classes and pairs that a report names, and classes up to which it holds the whole matrix.
CLASSES, PAIRS, MATRIX = 2000, 50, 100


def taken_for(
    classes: NDArray[np.int64],
    answers: tuple[NDArray[np.int64], NDArray[np.int64]],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    name: Callable[[int], str],
) -> Mapping[str, Any]:
    """The fields of a classifier's drift that tell what is taken for what.

    Args:
        classes: The true class of each image, [n].
        answers: The classes that board and float model answer, [n] each, counted as ``classes``.
        right: On which images board and float model are right, [n] each.
        name: Of a class.

    Returns:
        ``by_class``, ``mistakes`` and, of at most ``MATRIX`` classes, ``matrix``.
    """
    return {
        "by_class": _by_class(classes, answers, right, name),
        "mistakes": _mistakes(classes, answers, right, name),
        "matrix": _matrix(classes, answers, name),
    }


def _by_class(
    classes: NDArray[np.int64],
    answers: tuple[NDArray[np.int64], NDArray[np.int64]],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    name: Callable[[int], str],
) -> tuple[ClassAccuracy, ...]:
    """The class that lost most first, then the least accurate one."""
    there, own, images = np.unique(classes, return_inverse=True, return_counts=True)
    hits = [np.bincount(own, weights=item) for item in right]
    given = [Counter(item.tolist()) for item in answers]
    ours, theirs = (found / images for found in hits)
    order = sorted(range(len(there)), key=lambda at: (ours[at] - theirs[at], ours[at], there[at]))
    return tuple(
        ClassAccuracy(
            name=name(int(there[at])),
            images=int(images[at]),
            accuracy=float(ours[at]),
            accuracy_reference=float(theirs[at]),
            precision=_precision(hits[0][at], given[0][there[at]]),
            precision_reference=_precision(hits[1][at], given[1][there[at]]),
        )
        for at in order[:CLASSES]
    )


def _precision(hits: float, given: int) -> float | None:
    """The share of right ones among so many answers of a class."""
    return float(hits) / given if given else None


def _mistakes(
    classes: NDArray[np.int64],
    answers: tuple[NDArray[np.int64], NDArray[np.int64]],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    name: Callable[[int], str],
) -> tuple[Mistake, ...]:
    """The board's, the most frequent first; of equal ones in the order of the classes."""
    of = Counter(classes.tolist())
    ours, theirs = (
        Counter(zip(classes[~good].tolist(), given[~good].tolist(), strict=True))
        for given, good in zip(answers, right, strict=True)
    )
    order = sorted(ours.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Mistake(
            label=name(true),
            answer=name(answer),
            images=count,
            images_reference=theirs[true, answer],
            of_images=of[true],
        )
        for (true, answer), count in order[:PAIRS]
    )


def _matrix(
    classes: NDArray[np.int64],
    answers: tuple[NDArray[np.int64], NDArray[np.int64]],
    name: Callable[[int], str],
) -> ConfusionMatrix | None:
    """The counts, of the classes that are true or answered anywhere."""
    there = np.unique(np.concatenate([classes, *answers]))
    if len(there) > MATRIX:
        return None
    board, reference = (_counts(classes, given, there) for given in answers)
    return ConfusionMatrix(names=tuple(name(int(item)) for item in there), board=board, reference=reference)


def _counts(
    classes: NDArray[np.int64], given: NDArray[np.int64], there: NDArray[np.int64]
) -> tuple[tuple[int, ...], ...]:
    size = len(there)
    pairs = np.searchsorted(there, classes) * size + np.searchsorted(there, given)
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
    return tuple(tuple(row) for row in counts.tolist())
