"""Per-channel statistics of a tensor over many images, in constant memory: what equalisation needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError

__all__ = ["SAMPLES", "ChannelStatistics"]

BINS = 256
SAMPLES = 64
LEVELS = 255
FRACTIONS = np.geomspace(1.0, 0.3, 25)


class ChannelStatistics:
    """Smallest and largest value, and a histogram of the positive ones, of every channel.

    The extremes are taken over all values; the histogram over 64 positions an image. A channel's histogram
    doubles its range, merging bins in pairs, when a larger value arrives.

    Args:
        name: Of the tensor, for messages.
        channels: How many.

    Attributes:
        low: float64 [channels].
        high: float64 [channels].
    """

    def __init__(self, name: str, channels: int) -> None:
        self.name = name
        self.low, self.high = np.full(channels, np.inf), np.full(channels, -np.inf)
        self._top = np.full(channels, 2.0**-20)
        self._counts = np.zeros((channels, BINS), np.int32)

    def update(
        self,
        low: NDArray[np.float32],
        high: NDArray[np.float32],
        sample: NDArray[np.float32],
        total: NDArray[np.float32],
    ) -> None:
        """Take note of one image.

        Args:
            low: [channels], the smallest values.
            high: [channels], the largest.
            sample: [channels, n], some of the values.
            total: The sum of all values: not finite where one is not.

        Raises:
            DataError: A value is not finite; names the tensor.
        """
        if not np.isfinite(total):
            raise DataError(
                f"the network computes NaN or infinity on an image, at {self.name}", "check its weights"
            )
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
        self._grow(high)
        self._count(sample)

    def take(self, source: NDArray[np.int64]) -> None:
        """Let every channel have the statistics of another: [channels], indices."""
        self.low, self.high = self.low[source], self.high[source]
        self._top, self._counts = self._top[source], self._counts[source]

    def scale(self, factors: NDArray[np.float64]) -> None:
        """Follow a scaling of the channels: [channels], positive."""
        self.low, self.high = self.low * factors, self.high * factors
        self._top = self._top * factors

    def caps(self) -> NDArray[np.float64]:
        """The upper end of each channel with the least error, clipping plus rounding to 255 steps.

        Clipping counts twice: it hits the same images again and again, where rounding is like noise.
        """
        centres = (np.arange(BINS) + 0.5) / BINS
        best, caps = np.full(len(self.high), np.inf), self.high.copy()
        living = self._counts.sum(axis=1)
        for fraction in FRACTIONS:
            cap = np.maximum(self.high * fraction, 0)
            beyond = np.maximum(centres * self._top[:, None] - cap[:, None], 0)
            error = 2 * (self._counts * beyond**2).sum(axis=1) + living * (cap / LEVELS) ** 2 / 12
            better = error < 0.99 * best
            best, caps = np.where(better, error, best), np.where(better, cap, caps)
        return caps

    def _count(self, sample: NDArray[np.float32]) -> None:
        index = (sample * (BINS / self._top)[:, None]).astype(np.int64)
        positive = sample > 0
        index = np.minimum(index, BINS - 1) + np.arange(len(sample))[:, None] * BINS
        self._counts += (
            np.bincount(index[positive], minlength=self._counts.size).reshape(-1, BINS).astype(np.int32)
        )

    def _grow(self, high: NDArray[np.float32]) -> None:
        while (short := high > self._top).any():
            paired = self._counts[short].reshape(-1, BINS // 2, 2).sum(axis=2)
            self._counts[short, : BINS // 2] = paired
            self._counts[short, BINS // 2 :] = 0
            self._top[short] *= 2
