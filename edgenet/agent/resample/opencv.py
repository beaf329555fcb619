"""OpenCV's ``resize`` of bytes: by OpenCV where it is here and makes these pixels, else the same in numpy.

The arithmetic is that of ``modules/imgproc/src/resize.cpp``: 11-bit weights for linear and cubic, float32 for
area. Cubic is OpenCV's own, as on Arm: its x86 builds hand cubic to Intel's IPP, which rounds 3 to 5 % of the
values to the other side.

Python 3.6 syntax: this file travels to the board.
"""

import functools
import importlib

import numpy as np

from . import gather
from .trial import Trial

LINEAR, AREA, CUBIC = NAMES = ("opencv-linear", "opencv-area", "opencv-cubic")
_BITS = 11
_F = np.float32
_LANES = 8  # values that OpenCV's vector code takes at once; what is over is added up in whole numbers


def resampled(image, full, first, size, name):
    """A window of an image resized; see :func:`edgenet.agent.resample.resampled`."""
    image = np.asarray(image)
    if image.shape[2] in (1, 3) and library(name) is not None:
        case = (image.shape, full, first, size, name)
        return _FASTEST(case, image, full, first, size, name)
    return _by_numpy(image, full, first, size, name)


@functools.lru_cache(4)
def library(name):
    """OpenCV, where it is here and makes the pixels of a name that numpy makes; else ``None``."""
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError:
        return None
    noise = np.random.RandomState(0).randint(0, 256, (120, 160, 3)).astype(np.uint8)
    for full in ((96, 77), (60, 80), (150, 170)):
        mine = _by_numpy(noise, full, (0, 0), full, name)
        if not np.array_equal(mine, _with(cv2, noise, full, name)):
            return None
    return cv2


def _by_library(image, full, first, size, name):
    whole = _with(library(name), image, full, name)
    return whole[first[0] : first[0] + size[0], first[1] : first[1] + size[1]]


def _with(cv2, image, full, name):
    number = {LINEAR: cv2.INTER_LINEAR, AREA: cv2.INTER_AREA, CUBIC: cv2.INTER_CUBIC}[name]
    made = gather.buffer("whole", tuple(full) + (image.shape[2],), np.uint8)
    fast = name == CUBIC and hasattr(cv2, "ipp") and cv2.ipp.useIPP()
    if fast:
        cv2.ipp.setUseIPP(False)
    try:
        cv2.resize(image, (full[1], full[0]), dst=made, interpolation=number)
    finally:
        if fast:
            cv2.ipp.setUseIPP(True)
    return made


# -- the same in numpy


def _by_numpy(image, full, first, size, name):
    down, across = (_scale(image.shape[axis], full[axis]) for axis in (0, 1))
    if name == AREA and min(down, across) >= 1:
        whole = [int(round(scale)) for scale in (down, across)]
        if max(abs(down - whole[0]), abs(across - whole[1])) < np.finfo(np.float64).eps:
            total = _blocks(image, whole, first, size)
        else:
            total = _areas(image, full, first, size)
    else:
        total = _neighbors(image, full, first, size, name)
    return gather.as_bytes(total, "answer").reshape(size[0], size[1], -1)


def _scale(size, full):
    return 1.0 / (float(full) / size)


def _blocks(image, whole, first, size):
    """Area of whole pixels: their sum, times the float32 of one through their number."""
    begin, end = ([(first[axis] + more[axis]) * whole[axis] for axis in (0, 1)] for more in ((0, 0), size))
    part = image[begin[0] : end[0], begin[1] : end[1]]
    total = np.zeros((size[0], size[1], image.shape[2]), np.int32)
    for row in range(whole[0]):
        for column in range(whole[1]):
            total += part[row :: whole[0], column :: whole[1]]
    if whole == [2, 2]:
        return total + 2 >> 2
    return np.rint(total.astype(_F) * (_F(1) / _F(whole[0] * whole[1])))


def _areas(image, full, first, size):
    """Area of parts of pixels: columns first, in float32."""
    down, across = (_overlaps(image.shape[axis], full[axis], first[axis], size[axis]) for axis in (0, 1))
    part = gather.columns(down.rows_of(image), across)
    total = gather.rows(part, down)
    return np.rint(total, out=total)


def _neighbors(image, full, first, size, name):
    """Linear and cubic: whole numbers along the columns, then down."""
    wanted = [(image.shape[axis], full[axis], first[axis], size[axis], name, axis) for axis in (0, 1)]
    down, across = (_taps(*axis) for axis in wanted)
    part = gather.columns(down.rows_of(image), across)
    if name != CUBIC:
        return _linear(part, down)
    total = gather.rows(part, _scaled_taps(*wanted[0]))
    np.rint(total, out=total)
    over = full[1] * image.shape[2] % _LANES - (full[1] - first[1] - size[1]) * image.shape[2]
    if over > 0:
        total[:, -over:] = _tail(part[:, -over:], down)
    return total


def _tail(part, down):
    """What is left over by the vector code: the same sum in whole numbers."""
    return gather.rows(np.ascontiguousarray(part), down) + (1 << 2 * _BITS - 1) >> 2 * _BITS


def _linear(part, down):
    """OpenCV's ``VResizeLinear``: each product loses 16 bits, and the sum is rounded by two more."""
    part >>= 4
    shape = (down.count, part.shape[1])
    total, found = (gather.buffer(key, shape, np.int32) for key in ("total", "rows"))
    total.fill(2)
    for places, weights in zip(down.within, down.weights):
        part.take(places, 0, out=found, mode="wrap")
        found *= weights[:, None]
        found >>= 16
        total += found
    total >>= 2
    return total


@functools.lru_cache(64)
def _taps(size, full, first, count, name, axis):
    return gather.Taps(*_weights(size, full, first, count, name, axis))


@functools.lru_cache(64)
def _scaled_taps(*wanted):
    """The same in float32, the last first, and so that sums of ``_taps``'s columns become pixels."""
    index, fixed = _weights(*wanted)
    return gather.Taps(index[:, ::-1], fixed[:, ::-1].astype(_F) * _F(1.0 / (1 << 2 * _BITS)))


def _weights(size, full, first, count, name, axis):
    """Source pixels and 11-bit weights of outputs [first, first + count): [count, taps]."""
    scale = _scale(size, full)
    outputs = np.arange(first, first + count)
    if name == AREA:
        places = np.floor(outputs * scale).astype(np.intp)
        share = ((outputs + 1) - (places + 1) * (float(full) / size)).astype(_F)
        share = np.where(share <= 0, _F(0), share - np.floor(share)).astype(_F)
    else:
        exact = ((outputs + 0.5) * scale - 0.5).astype(_F)
        places = np.floor(exact).astype(np.intp)
        share = exact - places.astype(_F)
    if axis and name != CUBIC:  # beyond the edge columns have one neighbor, rows twice the same
        share = np.where((places < 0) | (places >= size - 1), _F(0), share)
        places = np.clip(places, 0, size - 1)
    weights = _cubic(share) if name == CUBIC else [_F(1) - share, share]
    offsets = np.arange(len(weights)) - (len(weights) // 2 - 1)
    fixed = np.rint(np.stack(weights, 1) * _F(1 << _BITS)).astype(np.int32)
    return np.clip(places[:, None] + offsets, 0, size - 1), fixed


def _cubic(x):
    """OpenCV's ``interpolateCubic``: Keys with a = -0.75, in float32."""
    a, one = _F(-0.75), _F(1)
    far = ((a * (x + one) - _F(5) * a) * (x + one) + _F(8) * a) * (x + one) - _F(4) * a
    near, next_ = (((a + _F(2)) * y - (a + _F(3))) * y * y + one for y in (x, one - x))
    return [far, near, next_, one - far - near - next_]


@functools.lru_cache(64)
def _overlaps(size, full, first, count):
    """How much of each source pixel lies within each output pixel; less than a thousandth does not count."""
    scale = _scale(size, full)
    begin = np.arange(first, first + count) * scale
    end, width = begin + scale, np.minimum(scale, size - begin)
    high = np.minimum(np.floor(end).astype(np.intp), size - 1)
    low = np.minimum(np.ceil(begin).astype(np.intp), high)
    index = (low - 1)[:, None] + np.arange(int((high - low).max()) + 2)
    before, after = low - begin, end - high
    after = np.where(after > 1e-3, np.minimum(np.minimum(after, 1.0), width), 0.0)
    before = np.where(before > 1e-3, before, 0.0)
    share = np.where(index < low[:, None], before[:, None], np.where(index < high[:, None], 1.0, 0.0))
    share = np.where(index == high[:, None], after[:, None], share)
    return gather.Taps(np.clip(index, 0, size - 1), (share / width[:, None]).astype(_F))


_FASTEST = Trial(_by_library, _by_numpy)
