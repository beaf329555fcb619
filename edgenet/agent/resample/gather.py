"""Weighted sums of neighboring pixels, in numpy and without allocating once the buffers are there.

Python 3.6 syntax: this file travels to the board.
"""

import threading
from typing import Any

import numpy as np

_HELD: Any = threading.local()
# Newer numpy takes single bytes three times as fast as older ones, which are better at whole pixels.
_BYTEWISE = not np.__version__.startswith("1.")
# Of the rows from the first to the last that are needed, the share from which they are taken as they lie.
_FEW = 0.7


def buffer(name, shape, dtype):
    """An array whose contents nobody needs any more once this thread asks for the same name again."""
    held, size = _HELD.__dict__, int(np.prod(shape))
    key = name + np.dtype(dtype).char
    if key not in held or held[key].size < size:
        held[key] = np.empty(size, dtype)
    return held[key][:size].reshape(shape)


class Taps(object):
    """Which pixels along an axis make each output pixel, and with which weights.

    Args:
        index: int [count, taps], within the axis.
        weights: [count, taps].

    Attributes:
        count: How many output pixels.
        needed: The pixels of the axis that matter, rising.
    """

    def __init__(self, index, weights):
        used = weights != 0
        index = np.where(used, index, index[np.arange(len(index)), used.argmax(axis=1)][:, None])
        keep = [tap for tap in range(weights.shape[1]) if used[:, tap].any()]
        seen = index[:, keep]
        self.count, self.needed = len(index), np.unique(seen)
        self._index = [np.ascontiguousarray(index[:, tap]) for tap in keep]
        self.weights = [np.ascontiguousarray(weights[:, tap]) for tap in keep]
        low, high = int(self.needed[0]), int(self.needed[-1]) + 1
        # Rows that nobody reads are left out where they are worth a copy of the others.
        self._whole = high - low if len(self.needed) > _FEW * (high - low) else 0
        places = self.needed if not self._whole else np.arange(low, high)
        self.within = [np.searchsorted(places, index) for index in self._index]
        self._spread = {}

    def rows_of(self, image):
        """The rows of uint8 [rows, columns, channels] that ``within`` counts; perhaps a buffer."""
        if self._whole:
            return image[self.needed[0] : self.needed[0] + self._whole]
        chosen = buffer("chosen", (len(self.needed),) + image.shape[1:], image.dtype)
        return image.take(self.needed, 0, out=chosen, mode="wrap")

    def spread(self, channels):
        """For each tap its index of pixels, the places of their bytes in a row, and the weight of each."""
        if channels not in self._spread:
            offsets = np.arange(channels)
            self._spread[channels] = [
                (index, (index[:, None] * channels + offsets).ravel(), np.repeat(weights, channels))
                for index, weights in zip(self._index, self.weights)
            ]
        return self._spread[channels]


def columns(image, taps):
    """Sums along the columns of uint8 [rows, columns, channels]: a buffer [rows, taps.count * channels]."""
    shape = (image.shape[0], taps.count * image.shape[2])
    found, total = buffer("found", shape, image.dtype), buffer("columns", shape, taps.weights[0].dtype)
    for number, (index, places, weights) in enumerate(taps.spread(image.shape[2])):
        take(image, index, places, found)
        _add(total, found, weights, number)
    return total


def take(image, index, places, found):
    """Some pixels of each row, by their index or by the places of their bytes, into [rows, bytes]."""
    rows, width, channels = image.shape
    if _BYTEWISE:
        image.reshape(rows, width * channels).take(places, 1, out=found, mode="wrap")
    else:
        image.take(index, 1, out=found.reshape(rows, -1, channels), mode="wrap")


def rows(part, taps):
    """Sums along the rows of [rows, width], those of ``taps.rows_of``: a buffer [taps.count, width]."""
    shape = (taps.count, part.shape[1])
    found, total = buffer("rows", shape, part.dtype), buffer("total", shape, taps.weights[0].dtype)
    for number, (places, weights) in enumerate(zip(taps.within, taps.weights)):
        part.take(places, 0, out=found, mode="wrap")
        _add(total, found, weights[:, None], number)
    return total


def as_bytes(total, name):
    """Sums that are whole numbers, clipped, which overwrites them: a buffer of uint8 of their shape."""
    made = buffer(name, total.shape, np.uint8)
    np.copyto(made, np.clip(total, 0, 255, out=total), casting="unsafe")
    return made


def _add(total, found, weights, number):
    if not number:
        np.multiply(found, weights, out=total, dtype=total.dtype)
        return
    product = buffer("product", total.shape, total.dtype)
    np.multiply(found, weights, out=product, dtype=total.dtype)
    np.add(total, product, out=total)
