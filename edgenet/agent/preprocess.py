"""The one truth for pixels: encoded image in, the uint8 pixels a network sees out.

The host (calibration, reference) and the board run these same files, so a difference in preprocessing can
only come from the libraries that decode and resample where they are here; each does so to the bit like the
others.

Python 3.6 syntax: this file travels to the board.
"""

import io
from typing import Any

import numpy as np

from . import resample
from .decoding import (
    APPLY,
    DECODES,
    FULL,
    IGNORE,
    ORIENTATIONS,
    SCALED,
    can_decode,
    decode,
    is_turned,
    opened,
    sizes,
)
from .geometry import NEEDS, PADDED, RESIZES, covers, geometry
from .resample.gather import buffer

INTERPOLATIONS = resample.NAMES
__all__ = [
    "APPLY",
    "DECODES",
    "FULL",
    "IGNORE",
    "INTERPOLATIONS",
    "NEEDS",
    "ORIENTATIONS",
    "PADDED",
    "RESIZES",
    "SCALED",
    "can_decode",
    "covers",
    "decode",
    "encode_jpeg",
    "encode_ppm",
    "fit",
    "geometry",
    "is_turned",
    "opened",
    "pixels_of",
    "sizes",
]


def pixels_of(data: bytes, spec: dict) -> np.ndarray:
    """An encoded image as the network sees it: decoded, upright where the card says so, and fitted.

    Args:
        data: As :func:`decode` takes it.
        spec: As :func:`opened` and :func:`fit` take it.

    Returns:
        uint8 [size[0], size[1], 3], RGB, contiguous.

    Raises:
        ValueError: As both.
    """
    return fit(opened(data, spec), spec)


def encode_ppm(image: np.ndarray) -> bytes:
    """The bytes of a binary PPM of a uint8 [height, width, 3] image: what any board can decode."""
    height, width = image.shape[:2]
    return "P6\n{} {}\n255\n".format(width, height).encode("ascii") + np.ascontiguousarray(image).tobytes()


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """The bytes of a JPEG of a uint8 [height, width, 3] image; empty without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return b""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def fit(image: Any, spec: dict, out: Any = None) -> np.ndarray:
    """Bring an image to the pixels the network sees.

    Args:
        image: uint8 [height, width, channels], such as RGB; or what :func:`opened` gives.
        spec: ``size`` [height, width]; ``resize``, a name of ``RESIZES``, and what it needs (``resize_to``,
            ``crop_fraction``, ``fill``: see docs/preprocessing.md); ``interpolation``: a name of
            ``INTERPOLATIONS``.
        out: uint8 [size[0], size[1], channels] to write to, if any.

    Returns:
        ``out``, or a new contiguous array of that shape.

    Raises:
        ValueError: ``resize`` is "none" and the size differs, or the image is empty.
    """
    rows, columns = image.shape[:2] if isinstance(image, np.ndarray) else image.size[::-1]
    way = geometry(rows, columns, spec)
    if way.source != (0, 0, rows, columns):
        image = _part(np.asarray(image), way.source, spec)
    if spec["resize"] in PADDED:
        pixels = _window(image, way, spec)
    else:
        pixels = resample.resampled(image, way.full, way.first, tuple(spec["size"]), spec["interpolation"])
    if out is None:
        return np.array(pixels, order="C")
    np.copyto(out, pixels)
    return np.asarray(out)


def _part(image, source, spec):
    """A part of an image; where it reaches beyond the edges, in a canvas of ``fill``."""
    top, left, rows, columns = source
    if top >= 0 and left >= 0:
        return image[top : top + rows, left : left + columns]
    canvas = _canvas((rows, columns, image.shape[2]), spec)
    canvas[-top : image.shape[0] - top, -left : image.shape[1] - left] = image
    return canvas


def _window(image, way, spec):
    """The resized image in the middle of a canvas of ``fill``."""
    pixels = resample.resampled(image, way.full, (0, 0), way.full, spec["interpolation"])
    if way.full == tuple(spec["size"]):
        return pixels
    canvas = _canvas(tuple(spec["size"]) + pixels.shape[2:], spec)
    top, left = -way.first[0], -way.first[1]
    canvas[top : top + way.full[0], left : left + way.full[1]] = pixels
    return canvas


def _canvas(shape, spec):
    canvas = buffer("canvas", shape, np.uint8)
    canvas[:] = np.asarray(spec.get("fill", 0), np.uint8)
    return canvas
