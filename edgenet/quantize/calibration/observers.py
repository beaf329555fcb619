"""Watch a tensor over many images in constant memory, and say its range.

==============  =========================================================================================
min-max         the smallest and largest value ever seen
moving-average  a running mean of each image's extremes (Jacob et al., arXiv 1712.05877, section 3.1)
percentile      99.99 % of the values, the rest cut off evenly at both ends (Wu et al., arXiv 2004.09602)
error           the range with the least mean squared error (Nagel et al., arXiv 2106.08295, section 3.1)
entropy         the range with the least Kullback-Leibler divergence (Migacz, GTC 2017)
==============  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError
from edgenet.quantize.calibration.histogram import Histogram

__all__ = ["OBSERVERS", "Entropy", "Error", "MinMax", "MovingAverage", "Observer", "Percentile"]

LEVELS = 256
KEPT = 0.9999
MOMENTUM = 0.1
FRACTIONS = np.linspace(1.0, 0.3, 36)


class Observer(Protocol):
    """What calibration feeds, one image at a time."""

    def update(self, values: NDArray[np.float32]) -> None:
        """Take note of a tensor's values for one image.

        Raises:
            DataError: The values are not finite.
        """

    def range(self) -> tuple[float, float]:
        """The range to quantize, in real units."""


class MinMax:
    """The smallest and largest value ever seen."""

    def __init__(self) -> None:
        self._low, self._high = np.inf, -np.inf

    def update(self, values: NDArray[np.float32]) -> None:
        """Widen the range to the values."""
        low, high = _extremes(values)
        self._low, self._high = min(self._low, low), max(self._high, high)

    def range(self) -> tuple[float, float]:
        """The smallest and the largest value."""
        return self._low, self._high


class MovingAverage:
    """The images' extremes, averaged with weights that fade by a tenth an image."""

    def __init__(self) -> None:
        self._range: tuple[float, float] | None = None

    def update(self, values: NDArray[np.float32]) -> None:
        """Move a tenth of the way to the image's own range."""
        low, high = _extremes(values)
        if self._range is None:
            self._range = low, high
        old_low, old_high = self._range
        self._range = old_low + MOMENTUM * (low - old_low), old_high + MOMENTUM * (high - old_high)

    def range(self) -> tuple[float, float]:
        """The averages."""
        return self._range or (0.0, 0.0)


class _Counted:
    """What looks at the whole distribution."""

    def __init__(self) -> None:
        self._histogram = Histogram()

    def update(self, values: NDArray[np.float32]) -> None:
        """Count the values."""
        self._histogram.update(values)


class Percentile(_Counted):
    """Where 99.99 % of the values lie."""

    def range(self) -> tuple[float, float]:
        """The two percentiles."""
        rest = (1 - KEPT) / 2
        return self._histogram.quantile(rest), self._histogram.quantile(1 - rest)


class Error(_Counted):
    """The range with the least mean squared error, of rounding inside and of clipping outside."""

    def range(self) -> tuple[float, float]:
        """The best of shorter and shorter ranges, both ends on their own."""
        seen = self._histogram
        return _search(seen, lambda low, high: _squared_error(seen, low, high))


class Entropy(_Counted):
    """The range after which the values' distribution is most like the one before, by KL divergence."""

    def range(self) -> tuple[float, float]:
        """The best of shorter and shorter ranges, both ends on their own."""
        seen = self._histogram
        return _search(seen, lambda low, high: divergence(seen.counts, seen.centers, low, high))


def divergence(
    counts: NDArray[np.int64], centers: NDArray[np.float64], low: float, high: float, levels: int = LEVELS
) -> float:
    """KL divergence from a histogram to what is left of it after rounding to ``levels`` steps of a range.

    What lies outside is counted at the ends of the reference and is missing in the rounded distribution, so
    that clipping costs; within a step the rounded distribution is flat over the bins that were not empty.
    """
    inside = (centers >= low) & (centers <= high)
    if not inside.any() or high <= low:
        return np.inf
    reference = counts[inside].astype(np.float64)
    step = np.minimum(((centers[inside] - low) * (levels / (high - low))).astype(int), levels - 1)
    filled = reference > 0
    sums = np.bincount(step, reference, levels)
    members = np.bincount(step, filled.astype(float), levels)
    rounded = np.where(filled, sums[step] / np.maximum(members[step], 1), 0.0)
    reference[0] += counts[centers < low].sum()
    reference[-1] += counts[centers > high].sum()
    p, q = reference / reference.sum(), np.maximum(rounded / max(rounded.sum(), 1), 1e-12)
    return float(np.sum(p[p > 0] * np.log(p[p > 0] / q[p > 0])))


def _extremes(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise DataError("the network computes NaN or infinity on an image", "check its weights")
    return low, high


def _squared_error(seen: Histogram, low: float, high: float) -> float:
    centers = seen.centers
    step = (high - low) / (LEVELS - 1)
    outside = np.maximum(low - centers, 0) + np.maximum(centers - high, 0)
    error = np.where(outside > 0, outside**2, step**2 / 12)
    return float((seen.counts * error).sum() / max(seen.counts.sum(), 1))


def _search(seen: Histogram, cost: Callable[[float, float], float]) -> tuple[float, float]:
    """The cheapest range: first the upper end is lowered, then the lower one raised; zero stays inside."""
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    if high <= low:
        return low, high
    high = min((high * part for part in FRACTIONS), key=lambda end: cost(low, end)) if high > 0 else high
    low = min((low * part for part in FRACTIONS), key=lambda end: cost(end, high)) if low < 0 else low
    return low, high


# Recipes name these.
OBSERVERS: dict[str, Callable[[], Observer]] = {
    "min-max": MinMax,
    "moving-average": MovingAverage,
    "percentile": Percentile,
    "error": Error,
    "entropy": Entropy,
}
