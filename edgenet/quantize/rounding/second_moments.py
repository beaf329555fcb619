"""What a convolution sees: second moments of its inputs in the float and in the int8 run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.graph.graph import attributes
from edgenet.graph.pads import conv_pads

__all__ = ["Moments", "columns"]

Array = NDArray[np.float64]


@dataclass
class _Half:
    """Sums over the positions of every second image, taken around a first guess of the mean."""

    own: Array
    cross: Array
    total: Array
    exact: Array
    count: int = 0

    @classmethod
    def empty(cls, groups: int, inputs: int) -> _Half:
        square, row = (groups, inputs, inputs), (groups, inputs)
        return cls(np.zeros(square), np.zeros(square), np.zeros(row), np.zeros(row))

    def add(self, rounded: NDArray[np.float32], exact: NDArray[np.float32]) -> None:
        turned = rounded.transpose(0, 2, 1)
        self.own += rounded @ turned
        self.cross += exact @ turned
        self.total += rounded.sum(axis=2)
        self.exact += exact.sum(axis=2)
        self.count += rounded.shape[2]

    def center(self) -> None:
        """Sums become means and covariances, in place."""
        for values in (self.own, self.cross, self.total, self.exact):
            np.divide(values, max(self.count, 1), out=values)
        self.own -= self.total[:, :, None] * self.total[:, None, :]
        self.cross -= self.exact[:, :, None] * self.total[:, None, :]

    def join(self, other: _Half) -> None:
        """Take up another centered half, in place of its own values."""
        mine, theirs = (item.count / max(self.count + other.count, 1) for item in (self, other))
        apart, exact = self.total - other.total, self.exact - other.exact
        for values, more in ((self.own, other.own), (self.cross, other.cross)):
            np.multiply(values, mine, out=values)
            np.add(values, np.multiply(more, theirs, out=more), out=values)
        self.own += mine * theirs * apart[:, :, None] * apart[:, None, :]
        self.cross += mine * theirs * exact[:, :, None] * apart[:, None, :]
        self.total, self.exact = (
            mine * first + theirs * second
            for first, second in ((self.total, other.total), (self.exact, other.exact))
        )
        self.count += other.count


class Moments:
    """Means and covariances over images and positions, of all images and of each half of them."""

    def __init__(self) -> None:
        self._halves: list[_Half] = []
        self._images, self._centered = 0, False

    def update(self, rounded: NDArray[np.float32], exact: NDArray[np.float32]) -> None:
        """Add one image's columns: float32 [groups, inputs, positions] of the int8 and of the float run."""
        if not self._halves:
            self._around = rounded.mean(axis=2, keepdims=True)
            self._halves = [_Half.empty(*rounded.shape[:2]) for _ in range(2)]
        self._halves[self._images % 2].add(rounded - self._around, exact - self._around)
        self._images += 1

    def halves(self) -> list[tuple[Array, Array]]:
        """Covariances as :meth:`covariances` gives them, of the first, third … and of the other images.

        Not to be called after :meth:`covariances`, which takes their memory.
        """
        if not self._centered:
            for half in self._halves:
                half.center()
            self._centered = True
        return [(half.own, half.cross) for half in self._halves if half.count]

    def covariances(self) -> tuple[Array, Array]:
        """Covariance of the int8 run's inputs, and of the float run's (rows) with the int8 run's (columns).

        [groups, inputs, inputs] each. To be called once, at the end.
        """
        self.halves()
        first, second = self._halves
        first.join(second)
        self._means = first.total, first.exact
        self._halves.clear()
        return first.own, first.cross

    @property
    def means(self) -> tuple[Array, Array]:
        """Mean input of the int8 and of the float run, [groups, inputs] each; after :meth:`covariances`."""
        around = self._around[:, :, 0].astype(np.float64)
        return self._means[0] + around, self._means[1] + around


def columns(
    value: NDArray[np.float32], conv: NodeProto, kernel: tuple[int, ...], depthwise: bool, most: int
) -> NDArray[np.float32]:
    """The windows that a convolution multiplies with its kernel (im2col).

    Args:
        value: float32 [1, channels, rows, columns].
        conv: With strides, dilations, and pads in either form.
        kernel: (height, width).
        depthwise: A group a channel, instead of one group of all.
        most: The most positions to take, spread evenly.

    Returns:
        float32 [groups, inputs, positions].
    """
    options = attributes(conv)
    down, right = options.get("strides", [1, 1])
    top, left, bottom, end = conv_pads(conv, value.shape[2:], kernel)
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
