"""Any source's picture as RGB, and RGB as a picture that browsers show."""

import struct
import zlib
from typing import Any

import numpy as np

from .. import exif, planes, preprocess

QUALITY = 80


def rgb(frame):
    """uint8 [height, width, 3] of a whole frame, perhaps a view of its data.

    Raises:
        ValueError: It is damaged.
    """
    if frame.kind == "rgb":
        return frame.data
    if frame.kind == "jpeg":
        return preprocess.decode(frame.data)
    return planes.rgb(frame.kind, frame.data, frame.size, frame.stride, frame.color)


def fill(models, frame):
    """Write a frame where each model looks for its pixels; those that see the same are given the same.

    Raises:
        ValueError: It is damaged.
    """
    made: Any = {}
    for model in models:
        if model.key in made:
            np.copyto(model.room(), made[model.key])
        else:
            made[model.key] = model.room()
            _fit(frame, model.spec, made[model.key])


def _fit(frame, spec, out):
    if frame.kind in ("jpeg", "rgb"):
        jpeg = frame.kind == "jpeg"
        image = preprocess.opened(frame.data, spec) if jpeg else oriented(frame.data, frame, spec)
        frame.seen = image.shape[1::-1] if isinstance(image, np.ndarray) else image.size
        preprocess.fit(image, spec, out)
    else:
        planes.fitted(frame.kind, frame.data, frame.size, spec, frame.stride, frame.color, out)


def turned(frame):
    """A frame's Exif orientation, 1 to 8."""
    return exif.orientation(frame.data) if frame.kind == "jpeg" else frame.turned


def oriented(image, frame, spec):
    """A frame's RGB pixels as a model of this preprocessing takes them: upright, or as they are stored."""
    applies = spec.get("orientation") == preprocess.APPLY
    return exif.upright(image, turned(frame)) if applies else image


def encode(image, lossless=False):
    """``(bytes, "jpeg" or "png")`` of uint8 [height, width, 3]; PNG where JPEG cannot be written here."""
    data = None if lossless else preprocess.encode_jpeg(image, QUALITY)
    return (data, "jpeg") if data else (_png(image), "png")


def _png(image):
    """PNG (RFC 2083) with zlib alone, rows unfiltered."""
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = image.reshape(height, width * 3)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) & 0xFFFFFFFF)
        for name, data in chunks
    )
