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
# Images whose samples wait to be counted together: a pass over all bins costs as much as the samples of one.
WAITING = 8


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
        self._waiting: list[NDArray[np.float32]] = []

    def update(
        self,
        low: NDArray[np.float32],
        high: NDArray[np.float32],
        sample: NDArray[np.float32],
        mean: NDArray[np.float32],
    ) -> None:
        """Take note of one image.

        Args:
            low: [channels], the smallest values.
            high: [channels], the largest.
            sample: [channels, n], some of the values.
            mean: [channels], of all values: not finite where one is not.

        Raises:
            DataError: A value is not finite; names the tensor.
        """
        if not np.isfinite(mean).all():
            raise DataError(
                f"the network computes NaN or infinity on an image, at {self.name}", "check its weights"
            )
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
        self._waiting.append(sample)
        if len(self._waiting) == WAITING:
            self._count()

    def take(self, source: NDArray[np.int64]) -> None:
        """Let every channel have the statistics of another: [channels], indices."""
        self._count()
        self.low, self.high = self.low[source], self.high[source]
        self._top, self._counts = self._top[source], self._counts[source]

    def scale(self, factors: NDArray[np.float64]) -> None:
        """Follow a scaling of the channels: [channels], positive."""
        self._count()
        self.low, self.high = self.low * factors, self.high * factors
        self._top = self._top * factors

    def caps(self) -> NDArray[np.float64]:
        """The upper end of each channel with the least error, clipping plus rounding to 255 steps.

        Clipping counts twice: it hits the same images again and again, where rounding is like noise.
        """
        self._count()
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

    def _count(self) -> None:
        """Count the samples that wait; what is not positive falls into a bin of its own, which is dropped."""
        if not self._waiting:
            return
        self._grow()
        sample = np.concatenate(self._waiting, axis=1)
        self._waiting.clear()
        sample *= (BINS / self._top)[:, None].astype(np.float32)  # a power of two: exact
        positive = sample > 0
        index = np.clip(sample, 0, BINS - 1, out=sample).astype(np.int32)
        index += positive
        index += np.arange(len(sample), dtype=np.int32)[:, None] * (BINS + 1)
        counts = np.bincount(index.reshape(-1), minlength=len(sample) * (BINS + 1))
        self._counts += counts.reshape(-1, BINS + 1)[:, 1:].astype(np.int32)

    def _grow(self) -> None:
        if not self._counts.any():
            self._top = 2.0 ** np.ceil(np.log2(np.maximum(self.high, self._top)))
        while (short := self.high > self._top).any():
            paired = self._counts[short].reshape(-1, BINS // 2, 2).sum(axis=2)
            self._counts[short, : BINS // 2] = paired
            self._counts[short, BINS // 2 :] = 0
            self._top[short] *= 2
