"""What a convolution sees: second moments of its inputs in the float and in the int8 run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.view import attributes

__all__ = ["Moments", "columns"]

Array = NDArray[np.float64]


@dataclass
class Moments:
    """Sums over positions and images, taken around a first guess of the mean.

    Attributes:
        count: Positions summed.
    """

    count: int = 0

    def update(self, rounded: NDArray[np.float32], exact: NDArray[np.float32]) -> None:
        """Add one image's columns: float32 [groups, inputs, positions] of the int8 and of the float run."""
        if self.count == 0:
            self._around = rounded.mean(axis=2, keepdims=True)
            groups, inputs, _ = rounded.shape
            self._own: Array = np.zeros((groups, inputs, inputs))
            self._cross: Array = np.zeros((groups, inputs, inputs))
            self._sum: Array = np.zeros((groups, inputs))
            self._exact_sum: Array = np.zeros((groups, inputs))
        a, b = rounded - self._around, exact - self._around
        turned = a.transpose(0, 2, 1)
        self._own += a @ turned
        self._cross += b @ turned
        self._sum += a.sum(axis=2)
        self._exact_sum += b.sum(axis=2)
        self.count += rounded.shape[2]

    @property
    def means(self) -> tuple[Array, Array]:
        """Mean input of the int8 and of the float run, [groups, inputs] each."""
        around = self._around[:, :, 0].astype(np.float64)
        return self._sum / self.count + around, self._exact_sum / self.count + around

    def covariances(self) -> tuple[Array, Array]:
        """Covariance of the int8 run's inputs, and of the float run's (rows) with the int8 run's (columns).

        [groups, inputs, inputs] each, in the memory of the sums: to be called once, after the last update.
        """
        mean, exact = self._sum / self.count, self._exact_sum / self.count
        own, cross = self._own, self._cross
        del self._own, self._cross
        own /= self.count
        own -= mean[:, :, None] * mean[:, None, :]
        cross /= self.count
        cross -= exact[:, :, None] * mean[:, None, :]
        return own, cross


def columns(
    value: NDArray[np.float32], conv: NodeProto, kernel: tuple[int, ...], depthwise: bool, most: int
) -> NDArray[np.float32]:
    """The windows that a convolution multiplies with its kernel (im2col).

    Args:
        value: float32 [1, channels, rows, columns].
        conv: With strides, pads and dilations.
        kernel: (height, width).
        depthwise: A group a channel, instead of one group of all.
        most: The most positions to take, spread evenly.

    Returns:
        float32 [groups, inputs, positions].
    """
    options = attributes(conv)
    down, right = options.get("strides", [1, 1])
    top, left, bottom, end = options.get("pads", [0, 0, 0, 0])
    tall, wide = options.get("dilations", [1, 1])
    padded = np.pad(value[0], ((0, 0), (top, bottom), (left, end))) if top + left + bottom + end else value[0]
    rows = (padded.shape[1] - tall * (kernel[0] - 1) - 1) // down + 1
    across = (padded.shape[2] - wide * (kernel[1] - 1) - 1) // right + 1
    taken = _spread(rows * across, most)
    y, x = taken // across * down, taken % across * right
    windows = [padded[:, y + i * tall, x + j * wide] for i in range(kernel[0]) for j in range(kernel[1])]
    stacked = np.stack(windows, axis=1)
    return stacked if depthwise else stacked.reshape(1, -1, len(taken))


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """At most ``most`` of ``count`` positions; a step coprime to any row length avoids a column pattern."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.arange(most, dtype=np.int64) * 7919 % count if count % 7919 else np.arange(most))
