"""A histogram of a stream: one pass, constant memory, no range known beforehand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError

__all__ = ["Histogram"]

BINS = 4096
# Of a larger tensor every second, third … value is counted; its extremes are always exact.
SAMPLE = 1 << 15


class Histogram:
    """Counts of values in equal bins over a range that doubles when a value falls outside.

    The range begins at the first values' own and stays aligned with zero; when it must grow, the bins are
    merged in pairs, so nothing is ever counted twice or lost, and the width of a bin is at most the final
    range / 1024.

    Attributes:
        low: The smallest value seen.
        high: The largest value seen.
        counts: int64 [4096].
    """

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf
        self.counts = np.zeros(BINS, np.int64)
        self._width, self._first = 0.0, 0

    @property
    def edges(self) -> NDArray[np.float64]:
        """The bins' borders, float64 [4097]."""
        return np.arange(self._first, self._first + BINS + 1) * np.float64(self._width)

    @property
    def centers(self) -> NDArray[np.float64]:
        """The bins' middles, float64 [4096]."""
        return (np.arange(self._first, self._first + BINS) + 0.5) * np.float64(self._width)

    def update(self, values: NDArray[np.float32]) -> None:
        """Count a tensor's values.

        Raises:
            DataError: One is NaN or infinite.
        """
        low, high = float(values.min()), float(values.max())
        if not np.isfinite(low) or not np.isfinite(high):
            raise DataError("the network computes NaN or infinity on an image", "check its weights")
        self.low, self.high = min(self.low, low), max(self.high, high)
        if self._width == 0.0:
            self._begin(low, high)
        while low < self._first * self._width or high >= (self._first + BINS) * self._width:
            self._double()
        flat = values.reshape(-1)[:: max(1, values.size // SAMPLE)]
        place = flat * np.float32(1.0 / self._width)
        np.floor(place, out=place)
        place -= np.float32(self._first)
        np.clip(place, 0, BINS - 1, out=place)
        self.counts += np.bincount(place.astype(np.int32), minlength=BINS)

    def quantile(self, share: float) -> float:
        """The value below which that share of all values lies, to a bin's width."""
        total = np.concatenate([[0], np.cumsum(self.counts)])
        return float(np.clip(np.interp(share * total[-1], total, self.edges), self.low, self.high))

    def _begin(self, low: float, high: float) -> None:
        span = max(high, 0.0) - min(low, 0.0)
        self._width = float(2.0 ** np.ceil(np.log2(max(span, 2.0**-100) * 2 / BINS)))
        self._first = int(np.floor(min(low, 0.0) / self._width)) if low < 0 else 0
        self._first -= self._first % 2

    def _double(self) -> None:
        """Twice as wide bins; the range grows upwards, and downwards once there was a value below zero."""
        first = self._first // 2 - (BINS // 4 if self.low < 0 else 0)
        merged = np.zeros(BINS, np.int64)
        padded = np.concatenate([[0], self.counts, [0]]) if self._first % 2 else self.counts
        pairs = padded[: len(padded) // 2 * 2].reshape(-1, 2).sum(axis=1)
        start = self._first // 2 - first
        merged[start : start + len(pairs)] = pairs
        self.counts, self._first, self._width = merged, first, self._width * 2
