"""Verification: whether two pictures are of one identity, by how near their vectors lie, over all pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.statistics import interval95

__all__ = ["Pairs", "Verified"]

# Images whose pairs are judged: two million pairs.
MOST_IMAGES = 2000
# Draws of the bootstrap: as many as take a second or so, within these.
PAIRS_DRAWN, DRAWS = 40_000_000, (100, 1000)
# Below every cosine.
FARTHEST = -2.0
# False accepts at which true ones are counted.
RATES = (0.01, 0.001)


class Verified(NamedTuple):
    """How well same and different are told apart.

    Attributes:
        auc: Area under the ROC curve.
        accepts: Share of the same pairs that are accepted at each of ``RATES`` of the different ones.
    """

    auc: float
    accepts: tuple[float, float]


class Pairs:
    """The pairs of at most 2,000 images, spread over all of them.

    Attributes:
        same: How many are of one identity.
        different: How many are of two.
    """

    def __init__(self, who: Sequence[object]) -> None:
        self._chosen = np.linspace(0, len(who) - 1, min(len(who), MOST_IMAGES)).astype(int)
        names = np.unique(np.asarray(who), return_inverse=True)[1][self._chosen]
        self._first, self._second = np.triu_indices(len(names), 1)
        self._alike = names[self._first] == names[self._second]
        self.same, self.different = int(self._alike.sum()), int((~self._alike).sum())

    def judged(self, vectors: NDArray[np.float32]) -> Verified | None:
        """The figures of some vectors of length 1, [images, values]; ``None`` without pairs of both kinds.

        A picture without a vector (NaN) is like no other.
        """
        if not self.same or not self.different:
            return None
        near = self._near(vectors)
        apart = np.sort(near[~self._alike])
        accepts = [float((near[self._alike] > _threshold(apart, rate)).mean()) for rate in RATES]
        return Verified(self._area(self._order(near), None), (accepts[0], accepts[1]))

    def interval(self, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> tuple[float, float] | None:
        """95 % interval of the difference of both areas, ours minus theirs: paired bootstrap over images.

        A picture that was drawn k times is in k times as many pairs, but in none with itself.
        """
        if not self.same or not self.different:
            return None
        orders = [self._order(self._near(vectors)) for vectors in (ours, theirs)]
        count, chance = len(self._chosen), np.random.default_rng(0)
        rounds = int(np.clip(PAIRS_DRAWN / len(self._alike), *DRAWS))
        drawn = []
        for _ in range(rounds):
            times = np.bincount(chance.integers(0, count, count), minlength=count).astype(np.float64)
            weights = times[self._first] * times[self._second]
            areas = [self._area(order, weights) for order in orders]
            drawn.append(areas[0] - areas[1])
        return interval95([value for value in drawn if math.isfinite(value)])

    def _near(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        own = vectors[self._chosen].astype(np.float64)
        near = (own @ own.T)[self._first, self._second]
        return np.where(np.isfinite(near), near, FARTHEST)

    def _order(self, near: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The pairs from the farthest to the nearest, and where each run of equal ones begins."""
        order = np.argsort(near, kind="stable")
        starts = np.flatnonzero(np.diff(near[order], prepend=2 * FARTHEST) != 0)
        return order, starts

    def _area(
        self, ordered: tuple[NDArray[np.int64], NDArray[np.int64]], weights: NDArray[np.float64] | None
    ) -> float:
        """ROC area of weighted pairs: see :func:`edgenet.statistics.roc_area`; NaN without both kinds."""
        order, starts = ordered
        every = np.ones(len(order)) if weights is None else weights[order]
        alike = self._alike[order]
        same = np.add.reduceat(np.where(alike, every, 0.0), starts)
        apart = np.add.reduceat(np.where(alike, 0.0, every), starts)
        total = float(same.sum() * apart.sum())
        below = np.cumsum(apart) - apart
        return float((same * (below + apart / 2)).sum()) / total if total else math.nan


def _threshold(apart: NDArray[np.float64], rate: float) -> float:
    """Above it lies at most this share of the different pairs, sorted."""
    allowed = math.floor(rate * len(apart) + 1e-9)
    return float(apart[len(apart) - 1 - allowed])
