"""Binary PGM and PPM (netpbm's P5 and P6) of 8 and 16 bits, without any library: what any board can read."""

import re

import numpy as np

MAX_HEADER = 4096
_GAP = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P([56])" + (_GAP + rb"([0-9]{1,8})") * 3 + rb"[ \t\r\n\v\f]")


def is_pnm(data):
    """Whether bytes begin as such a file does."""
    return data[:2] in (b"P5", b"P6")


def size(data):
    """(width, height) that the header tells, or ``None``."""
    found = _HEADER.match(data[:MAX_HEADER])
    return (int(found.group(2)), int(found.group(3))) if found else None


def decode(data: bytes, max_pixels: int) -> np.ndarray:
    """uint8 [height, width, 3], RGB; other peaks than 255 are scaled to it, to the nearest.

    Raises:
        ValueError: Damaged, truncated, or of more than ``max_pixels``.
    """
    found = _HEADER.match(data[:MAX_HEADER])
    if found is None:
        raise ValueError("a damaged PPM header")
    width, height, peak = (int(found.group(index)) for index in (2, 3, 4))
    if width * height > max_pixels:
        raise ValueError("{}x{} pixels, more than {} megapixels".format(width, height, max_pixels >> 20))
    channels, kind = (1 if found.group(1) == b"5" else 3), np.dtype(">u2" if peak > 255 else np.uint8)
    count = width * height * channels
    if not count or not 0 < peak < 65536 or len(data) != found.end() + count * kind.itemsize:
        raise ValueError("a damaged PPM image")
    values = np.frombuffer(data, kind, count, found.end()).reshape(height, width, channels)
    if peak != 255:
        values = scale_table(peak, kind.itemsize)[values]
    return values if channels == 3 else np.repeat(values, 3, axis=2)


def scale_table(peak: int, width: int = 2) -> np.ndarray:
    """The uint8 of each value of so many bytes where ``peak`` is white."""
    values = np.minimum(np.arange(256**width, dtype=np.int64), peak)
    return np.asarray((values * 255 + peak // 2) // peak, np.uint8)
