"""Pillow's filters: one axis after the other, columns first, each rounded to 8 bits.

Releases of Pillow differ in which axis they take first, which moves pixels by up to a few levels; here it is
one axis a call, so that a board and a host with different Pillows see the same. The same fixed-point
arithmetic runs in numpy, to the bit (Pillow ``src/libImaging/Resample.c``: 22-bit weights), where there is no
Pillow or numpy is faster.

Python 3.6 syntax: this file travels to the board.
"""

import functools
import math

import numpy as np

from . import gather
from .trial import Trial

PRECISION_BITS = 32 - 8 - 2
_WHOLE = 1 << 24  # float32 counts no further


def _triangle(x):
    return np.maximum(0.0, 1.0 - np.abs(x))


def _keys_cubic(x):
    a, x = -0.5, np.abs(x)
    inner = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    outer = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0))


# name: (filter, support, widened when shrinking, Pillow's number of it: Image.BILINEAR, Image.BICUBIC)
FILTERS = {
    "bilinear-antialias": (_triangle, 1.0, True, 2),
    "bicubic-antialias": (_keys_cubic, 2.0, True, 3),
    "bilinear": (_triangle, 1.0, False, None),
}
SYNONYMS = {"pillow-bilinear": "bilinear-antialias", "pillow-bicubic": "bicubic-antialias"}
NAMES = (*FILTERS, *SYNONYMS)


def resampled(image, full, first, size, name):
    """A window of an image resized; see :func:`edgenet.agent.resample.resampled`."""
    name = SYNONYMS.get(name, name)
    shape = image.shape if isinstance(image, np.ndarray) else image.size + (len(image.getbands()),)
    if FILTERS[name][3] is None or shape[2] not in (1, 3) or _library() is None:
        return _by_numpy(image, full, first, size, name)
    case = (isinstance(image, np.ndarray), shape, full, first, size, name)
    return _FASTEST(case, image, full, first, size, name)


def _library():
    """Pillow's ``Image``, or ``None``."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


def _by_numpy(image, full, first, size, name):
    image = np.asarray(image).reshape(np.shape(image)[:2] + (-1,))
    down, across = (taps(image.shape[axis], full[axis], first[axis], size[axis], name) for axis in (0, 1))
    part = down.rows_of(image)
    if image.shape[1] == full[1]:
        part = np.ascontiguousarray(part[:, first[1] : first[1] + size[1]])
        part = part.reshape(len(part), -1)
    else:
        part = _rounded(gather.columns(part, across), "part")
    if image.shape[0] != full[0]:
        part = _rounded(gather.rows(part, down), "answer")
    return part.reshape(size[0], size[1], -1)


def _rounded(total, name):
    total += 1 << (PRECISION_BITS - 1)
    total >>= PRECISION_BITS
    return gather.as_bytes(total, name)


@functools.lru_cache(64)
def taps(size, full, first, count, name):
    """Source pixels and 22-bit weights of outputs [first, first + count) of an axis resized to ``full``."""
    return gather.Taps(*_weights(size, float(size) / full, 0.0, first, count, name))


def _weights(size, scale, start, first, count, name):
    """The same as arrays [count, taps], for outputs that begin at place ``start`` of the axis."""
    kernel, reach, antialias = FILTERS[name][:3]
    widen = max(scale, 1.0) if antialias else 1.0
    support = reach * widen
    center = start + (np.arange(first, first + count) + 0.5) * scale
    low = np.maximum((center - support + 0.5).astype(np.intp), 0)
    high = np.minimum((center + support + 0.5).astype(np.intp), size)
    index = low[:, None] + np.arange(int(math.ceil(support)) * 2 + 1)[None, :]
    inside = index < high[:, None]
    weights = np.where(inside, kernel((index - center[:, None] + 0.5) * (1.0 / widen)), 0.0)
    weights = weights / weights.sum(axis=1)[:, None] * (1 << PRECISION_BITS)
    fixed = np.where(weights < 0, weights - 0.5, weights + 0.5).astype(np.int32)
    return np.minimum(index, size - 1), np.where(inside, fixed, 0).astype(np.int32)


# -- by Pillow itself


def _by_pillow(image, full, first, size, name):
    if isinstance(image, np.ndarray):
        image = _library().fromarray(np.ascontiguousarray(image if image.shape[2] > 1 else image[:, :, 0]))
    number = FILTERS[name][3]
    down = cut(image.size[1], full[0], first[0], size[0], name)
    across = cut(image.size[0], full[1], first[1], size[1], name)
    wanted = (across.low, down.low, across.high, down.high)
    if wanted != (0, 0) + image.size:
        image = image.crop(wanted)
    rows = image.size[1]
    if across.count:
        image = image.resize((across.count, rows), number, box=(across.begin, 0, across.end, rows))
    if across.skipped or image.size[0] != size[1]:
        image = image.crop((across.skipped, 0, across.skipped + size[1], rows))
    if down.count:
        image = image.resize((size[1], down.count), number, box=(0, down.begin, size[1], down.end))
    pixels = np.asarray(image).reshape(image.size[1], size[1], -1)
    return pixels[down.skipped : down.skipped + size[0]]


class Cut(object):
    """What Pillow is asked for along one axis, and which part of the answer was wanted.

    Attributes:
        low, high: The source pixels [low, high) that are needed.
        begin, end: The part of those that is resized, to ``count`` pixels; ``count`` is 0 where nothing is.
        skipped: How many come before the first that was wanted.
    """

    def __init__(self, low, high, begin, end, count, skipped):
        self.low, self.high, self.begin, self.end = low, high, begin, end
        self.count, self.skipped = count, skipped


@functools.lru_cache(64)
def cut(size, full, first, count, name):
    """The least around outputs [first, first + count) that Pillow makes with the weights of the whole.

    Pillow takes the part of the source that it resizes in float32. Only edges that this holds exactly keep
    every weight; the weights are computed both ways and compared.
    """
    if size == full:
        return Cut(first, first + count, 0, count, 0, 0)
    below = [place for place in range(first, 0, -1) if _exact(place, size, full)]
    above = [place for place in range(first + count, full) if _exact(place, size, full)]
    begin, end = below[0] if below else 0, above[0] if above else full
    whole = _matrix(size, float(size) / full, 0.0, begin, end - begin, name)
    needed = np.flatnonzero(whole.any(axis=0))
    low, high = int(needed[0]), int(needed[-1]) + 1
    edges = [place * size / float(full) - low for place in (begin, end)]
    if edges[0] >= 0 and edges[1] <= high - low:
        alone = _matrix(high - low, (edges[1] - edges[0]) / (end - begin), edges[0], 0, end - begin, name)
        if np.array_equal(alone, whole[:, low:high]):
            return Cut(low, high, edges[0], edges[1], end - begin, first - begin)
    return Cut(0, size, 0, size, full, first)


def _matrix(size, scale, start, first, count, name):
    """The weights of every source pixel: [count, size]."""
    index, weights = _weights(size, scale, start, first, count, name)
    matrix = np.zeros((count, size), np.int32)
    np.add.at(matrix, (np.arange(count)[:, None], index), weights)
    return matrix


def _exact(place, size, full):
    """Whether an output's edge lies at a place of the source that float32 holds."""
    scaled = place * size * 256
    return scaled % full == 0 and scaled // full < _WHOLE


_FASTEST = Trial(_by_pillow, _by_numpy)
