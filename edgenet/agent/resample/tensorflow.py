"""``tf.image.resize`` of bytes, to the nearest whole pixel value.

Without antialias: TensorFlow's ResizeBilinear with half-pixel centers (``resize_bilinear_op.cc``), columns
first; with: ScaleAndTranslate with the triangle kernel (``scale_and_translate_op.cc``), rows first. Both in
float32, in the order of the operations there (``tensorflow/core/kernels/image``); halves go to the even
neighbor.

Python 3.6 syntax: this file travels to the board.
"""

import functools

import numpy as np

from . import gather

PLAIN, ANTIALIAS = NAMES = ("tf-bilinear", "tf-bilinear-antialias")
_F = np.float32


def resampled(image, full, first, size, name):
    """A window of an image resized; see :func:`edgenet.agent.resample.resampled`."""
    image = np.asarray(image)
    down, across = (_TAPS[name](image.shape[axis], full[axis], first[axis], size[axis]) for axis in (0, 1))
    exact = (_antialiased if name == ANTIALIAS else _plain)(down.rows_of(image), down, across)
    return gather.as_bytes(np.rint(exact, out=exact), "answer").reshape(size[0], size[1], -1)


def _plain(image, down, across):
    """Two by two neighbors: left + (right - left) * x, then upper + (lower - upper) * y."""
    shape = (image.shape[0], across.count * image.shape[2])
    left, right = (gather.buffer(name, shape, np.uint8) for name in ("left", "right"))
    low, high = across.spread(image.shape[2])
    gather.take(image, low[0], low[1], left)
    gather.take(image, high[0], high[1], right)
    part = _between(left, right, high[2], "columns")
    (low, high), shape = down.within, (down.count, part.shape[1])
    upper, lower = (gather.buffer(name, shape, _F) for name in ("upper", "lower"))
    part.take(low, 0, out=upper, mode="wrap")
    part.take(high, 0, out=lower, mode="wrap")
    return _between(upper, lower, down.weights[1][:, None], "total")


def _between(one, other, share, name):
    total = gather.buffer(name, one.shape, _F)
    np.subtract(other, one, out=total, dtype=_F)
    np.multiply(total, share, out=total)
    np.add(total, one, out=total)
    return total


def _antialiased(image, down, across):
    rows, width, channels = image.shape
    part = gather.rows(image.reshape(rows, width * channels), down)
    return gather.columns(part.reshape(down.count, width, channels), across)


@functools.lru_cache(64)
def _pair(size, full, first, count):
    places = (np.arange(first, first + count).astype(_F) + _F(0.5)) * (_F(size) / _F(full)) - _F(0.5)
    below = np.floor(places)
    low = np.maximum(below.astype(np.intp), 0)
    high = np.minimum(np.ceil(places).astype(np.intp), size - 1)
    return Pair(np.stack([low, high], 1), places - below)


class Pair(gather.Taps):
    """Two taps whose second weight is the share of the way from the first to the second."""

    def __init__(self, index, share):
        gather.Taps.__init__(self, index, np.ones(index.shape, _F))
        self.weights[1] = share


@functools.lru_cache(64)
def _spans(size, full, first, count):
    inverse = _F(1) / (_F(full) / _F(size))
    widen = max(inverse, _F(1))
    centers = (np.arange(first, first + count).astype(_F) + _F(0.5)) * inverse
    begin = np.maximum(np.ceil(centers - widen - _F(0.5)).astype(np.intp), 0)
    end = np.minimum(np.floor(centers + widen - _F(0.5)).astype(np.intp), size - 1)
    index = begin[:, None] + np.arange(int((end - begin).max()) + 1)
    distance = np.abs((index.astype(_F) + _F(0.5) - centers[:, None]) * (_F(1) / widen))
    weights = np.where(index <= end[:, None], np.maximum(_F(0), _F(1) - distance), _F(0)).astype(_F)
    total = np.zeros(count, _F)
    for tap in range(weights.shape[1]):
        total += weights[:, tap]
    return gather.Taps(np.minimum(index, size - 1), weights * (_F(1) / total)[:, None])


_TAPS = {PLAIN: _pair, ANTIALIAS: _spans}
