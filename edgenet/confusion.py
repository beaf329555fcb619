"""Class by class: the mean of their accuracies, and the pairs that are confused on the board alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.json_value import Count
from edgenet.record import Record
from edgenet.statistics import paired_bootstrap

__all__ = ["Confusion", "by_class"]

# Pairs that a report names.
SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Confusion(Record):
    """Images of one class that the float model knows and the board takes for another.

    Attributes:
        label: The class's name.
        answer: The name of what the board says.
        images: How many.
        known: How many of the class the float model knows.
    """

    label: str
    answer: str
    images: Count
    known: Count


def by_class(
    classes: NDArray[np.int64],
    given: NDArray[np.int64],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    names: tuple[Callable[[int], str], Callable[[int], str]],
) -> Mapping[str, Any]:
    """The fields of a classifier's drift that look at its classes one by one.

    Args:
        classes: The true class of each image, [n].
        given: What the board says, [n].
        right: On which images the board and the float model are right, [n] each.
        names: Of a true class, and of an answer.
    """
    ours, theirs = right
    there, own = np.unique(classes, return_inverse=True)

    def mean(correct: NDArray[np.bool_], chosen: NDArray[np.int64]) -> float:
        counts = np.bincount(own[chosen], minlength=len(there))
        hits = np.bincount(own[chosen], weights=correct[chosen], minlength=len(there))
        return float((hits[counts > 0] / counts[counts > 0]).mean())

    every = np.arange(len(classes))
    low, high = paired_bootstrap(lambda chosen: mean(ours, chosen) - mean(theirs, chosen), len(classes))
    return {
        "class_accuracy": mean(ours, every),
        "class_accuracy_reference": mean(theirs, every),
        "class_delta_interval_pp": (100.0 * low, 100.0 * high),
        "classes": len(there),
        "confusions": _confusions(classes, given, right, names),
    }


def _confusions(
    classes: NDArray[np.int64],
    given: NDArray[np.int64],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    names: tuple[Callable[[int], str], Callable[[int], str]],
) -> tuple[Confusion, ...]:
    """The most frequent first; of equal ones in the order of the classes."""
    ours, theirs = right
    known, lost = Counter(classes[theirs].tolist()), theirs & ~ours
    pairs = Counter(zip(classes[lost].tolist(), given[lost].tolist(), strict=True))
    order = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Confusion(label=names[0](true), answer=names[1](answer), images=count, known=known[true])
        for (true, answer), count in order[:SHOWN]
    )
