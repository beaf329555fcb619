"""Extremes of a tensor's channels over many images: what equalization needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError

__all__ = ["ChannelStatistics"]


class ChannelStatistics:
    """Smallest and largest value of every channel.

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

    def update(self, low: NDArray[np.float32], high: NDArray[np.float32], mean: NDArray[np.float32]) -> None:
        """Take note of one image.

        Args:
            low: [channels], the smallest values.
            high: [channels], the largest.
            mean: [channels], of all values: not finite where one is not.

        Raises:
            DataError: A value is not finite; names the tensor.
        """
        if not np.isfinite(mean).all():
            raise DataError(
                f"the network computes NaN or infinity on an image, at {self.name}", "check its weights"
            )
        self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)

    def joined(self, *others: ChannelStatistics) -> ChannelStatistics:
        """A copy with what others saw of the same tensor on other images, too."""
        copy, seen = ChannelStatistics(self.name, len(self.low)), (self, *others)
        copy.low = np.min([item.low for item in seen], axis=0)
        copy.high = np.max([item.high for item in seen], axis=0)
        return copy

    def take(self, source: NDArray[np.int64]) -> None:
        """Let every channel have the statistics of another: [channels], indices."""
        self.low, self.high = self.low[source], self.high[source]

    def extend(self, count: int) -> None:
        """Follow channels that are always zero, behind the others."""
        self.low, self.high = np.pad(self.low, (0, count)), np.pad(self.high, (0, count))

    def scale(self, factors: NDArray[np.float64]) -> None:
        """Follow a scaling of the channels: [channels], positive."""
        self.low, self.high = self.low * factors, self.high * factors
