"""The one truth for pixels: encoded image in, the uint8 pixels a network sees out.

The host (calibration, reference) and the board run this same file, so a difference in
preprocessing can only come from decoding. It needs numpy; Pillow, where present, decodes
JPEG and PNG and does the resizing, one axis a call, columns first: releases of Pillow differ in
which axis they take first, which moves pixels by up to a few levels, and here a board and a host
with different Pillows see the same. Without Pillow the same fixed-point resampling runs in numpy,
to the bit (Pillow ``src/libImaging/Resample.c``: 22-bit weights, rounding after each axis).

Python 3.6 syntax: this file travels to the board.
"""

import io
import math
import re
import warnings

import numpy as np

from . import exif, pnm

PRECISION_BITS = 32 - 8 - 2
IGNORE, APPLY = ORIENTATIONS = ("ignore", "apply")
RESIZES = ("stretch", "short-side", "none")
MAX_PIXELS = 64 * 1024 * 1024
UNSCALED = {"F": "floating-point", "I": "32-bit"}


def _triangle(x):
    return np.maximum(0.0, 1.0 - np.abs(x))


def _keys_cubic(x):
    a, x = -0.5, np.abs(x)
    inner = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    outer = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return np.where(x < 1.0, inner, np.where(x < 2.0, outer, 0.0))


# name: (filter, support, widened when shrinking)
FILTERS = {
    "bilinear-antialias": (_triangle, 1.0, True),
    "bicubic-antialias": (_keys_cubic, 2.0, True),
    "bilinear": (_triangle, 1.0, False),
}
NEAREST = "nearest"
INTERPOLATIONS = (*FILTERS, NEAREST)
# Pillow's numbers for the filters that it has (Image.BILINEAR, Image.BICUBIC; the names moved).
PILLOW_FILTERS = {"bilinear-antialias": 2, "bicubic-antialias": 3}


class _Refused(Exception):
    """An image that Pillow reads and this file does not; its text is the whole reason."""


def can_decode() -> list:
    """The image formats that :func:`decode` reads here: always "ppm", with Pillow also "jpeg" and "png"."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return ["ppm"]
    return ["ppm", "jpeg", "png"]


def pixels_of(data: bytes, spec: dict) -> np.ndarray:
    """An encoded image as the network sees it: decoded, upright where the card says so, and fitted.

    Args:
        data: As :func:`decode` takes it.
        spec: As :func:`fit` takes it, and ``orientation``: "ignore" (as where there is none) or "apply".

    Returns:
        uint8 [size[0], size[1], 3], RGB, contiguous.

    Raises:
        ValueError: As both.
    """
    return fit(decode(data, spec.get("orientation", IGNORE)), spec)


def decode(data: bytes, orientation: str = IGNORE) -> np.ndarray:
    """Decode one image.

    Args:
        data: The bytes of a binary PPM or PGM ("P6", "P5"), or of any file Pillow reads.
        orientation: "apply" turns a JPEG, PNG or WebP as its Exif tag says; "ignore" leaves it as it is
            stored, as is usual for ImageNet.

    Returns:
        uint8 array [height, width, 3], RGB. 16 bits are scaled to 8, gray is repeated, ink becomes light,
        and alpha is dropped.

    Raises:
        ValueError: The bytes are not an image, are truncated, larger than 64 megapixels, or hold
            floating-point or 32-bit pixels.
    """
    image = _decoded(data)
    return exif.upright(image, exif.orientation(data)) if orientation == APPLY else image


def _decoded(data: bytes) -> np.ndarray:
    if pnm.is_pnm(data):
        return pnm.decode(data, MAX_PIXELS)
    try:
        from PIL import Image
    except ImportError:
        raise ValueError("only binary PPM and PGM images can be read without Pillow") from None
    # Of large images and damaged tags, on stderr; catch_warnings is not for threads.
    warnings.filterwarnings("ignore", module=r"PIL\b")
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _Refused("{}x{} pixels, more than 64 megapixels".format(width, height))
            return _rgb(image)
    except MemoryError:
        raise ValueError("not enough memory for its pixels") from None
    except _Refused as error:
        raise ValueError(str(error)) from None
    except Exception as error:
        # Pillow raises OSError, SyntaxError, struct.error … depending on where the file is broken.
        if type(error).__name__ == "DecompressionBombError":
            raise ValueError("more than 64 megapixels") from None
        reason = re.sub(" *<[^<>]* at 0x[0-9a-fA-F]+>", "", " ".join(str(error).split()))
        raise ValueError("not a readable image ({})".format(reason or type(error).__name__)) from None


def is_turned(data: bytes) -> bool:
    """Whether an encoded image carries an Exif orientation other than upright."""
    return exif.orientation(data) != 1


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


def _rgb(image) -> np.ndarray:
    """Pixels of an open Pillow image, whatever its mode; what has no range to scale by is refused.

    Alpha is dropped, as Keras and torchvision do. What Pillow's releases convert differently is done here.
    """
    mode, deep = image.mode, image.format in ("PNG", "PPM")
    if mode.startswith("I;16") or (mode == "I" and deep):  # releases differ in what a 16-bit PNG is to them
        gray = np.asarray(image)
        if gray.dtype.itemsize > 2:
            gray = np.clip(gray, 0, 65535).astype(np.uint16)
        return np.repeat(pnm.scale_table(65535)[gray][:, :, None], 3, axis=2)
    if mode in UNSCALED:
        raise _Refused("{} pixels, which are no shades from black to white".format(UNSCALED[mode]))
    if mode == "CMYK":
        return _rgb_of_cmyk(np.asarray(image))
    if mode == "P":
        image = image.convert("RGBA")  # straight to RGB, Pillow warns of transparency
    return np.array(image.convert("RGB"), np.uint8)


def _rgb_of_cmyk(image) -> np.ndarray:
    """As Pillow since 6.2: (255 - ink) * (255 - black) / 255, to the nearest."""
    light = 255 - image[:, :, 3].astype(np.uint16)
    made = np.empty(image.shape[:2] + (3,), np.uint8)
    for channel in range(3):
        ink = image[:, :, channel] * light + 128
        made[:, :, channel] = light - ((ink >> 8) + ink >> 8)
    return made


def fit(image: np.ndarray, spec: dict) -> np.ndarray:
    """Bring an image to the pixels the network sees.

    Args:
        image: uint8 [height, width, 3], RGB.
        spec: ``size`` [height, width]; ``resize``: "stretch" (whole image to size), "short-side"
            (short side to ``resize_to``, then center crop to size; torchvision's rounding) or "none"
            (the image must have the size); ``interpolation``: a name of ``INTERPOLATIONS``.

    Returns:
        uint8 [size[0], size[1], 3], RGB, contiguous.

    Raises:
        ValueError: ``resize`` is "none" and the size differs, or the image is empty.
    """
    height, width = spec["size"]
    rows, columns = image.shape[:2]
    if rows == 0 or columns == 0:
        raise ValueError("an image without pixels")
    if spec["resize"] == "none":
        if (rows, columns) != (height, width):
            raise ValueError("image is {}x{}, the network takes {}x{}".format(rows, columns, height, width))
        return np.ascontiguousarray(image)
    if spec["resize"] == "stretch":
        full_rows, full_columns, top, left = height, width, 0, 0
    else:
        short = spec["resize_to"]
        if rows <= columns:
            full_rows, full_columns = short, short * columns // rows
        else:
            full_rows, full_columns = short * rows // columns, short
        top = int(round((full_rows - height) / 2.0))
        left = int(round((full_columns - width) / 2.0))
    image = _resample(image, 1, full_columns, left, width, spec["interpolation"])
    image = _resample(image, 0, full_rows, top, height, spec["interpolation"])
    return np.ascontiguousarray(image)


def _resample(image, axis, full, first, count, interpolation):
    """Places [first, first + count) along an axis of the image resized to ``full`` along it."""
    part = [slice(None), slice(None)]
    part[axis] = slice(first, first + count)
    if interpolation == NEAREST:
        return image.take(_nearest(image.shape[axis], full)[first : first + count], axis)
    if image.shape[axis] == full:
        return image[tuple(part)]
    if interpolation in PILLOW_FILTERS:
        try:
            from PIL import Image
        except ImportError:
            pass
        else:
            size = (full, image.shape[0]) if axis else (image.shape[1], full)
            resized = Image.fromarray(np.ascontiguousarray(image)).resize(size, PILLOW_FILTERS[interpolation])
            return np.asarray(resized)[tuple(part)]
    if axis:
        return _resample_columns(image, full, first, count, interpolation)
    return _resample_columns(image.swapaxes(0, 1), full, first, count, interpolation).swapaxes(0, 1)


def _nearest(size, full):
    """The pixel below the center of each of ``full`` pixels, summed up in float64 (Pillow ``Geometry.c``)."""
    steps = np.full(full, float(size) / full)
    steps[0] /= 2
    return np.minimum(np.cumsum(steps).astype(np.int64), size - 1)


def _resample_columns(image, full, first, count, interpolation):
    """The same for columns, in numpy."""
    taps, weights = _taps(image.shape[1], full, first, count, interpolation)
    total = np.full((image.shape[0], count, image.shape[2]), 1 << (PRECISION_BITS - 1), np.int32)
    for tap in range(taps.shape[1]):
        total += image[:, taps[:, tap]] * weights[None, :, tap, None]
    return np.clip(total >> PRECISION_BITS, 0, 255).astype(np.uint8)


def _taps(size, full, first, count, interpolation):
    """Source columns and 22-bit weights of each output column: int arrays [count, taps]."""
    kernel, reach, antialias = FILTERS[interpolation]
    scale = float(size) / full
    widen = max(scale, 1.0) if antialias else 1.0
    support = reach * widen
    center = (np.arange(first, first + count) + 0.5) * scale
    low = np.maximum((center - support + 0.5).astype(np.int64), 0)
    high = np.minimum((center + support + 0.5).astype(np.int64), size)
    taps = low[:, None] + np.arange(int(math.ceil(support)) * 2 + 1)[None, :]
    inside = taps < high[:, None]
    weights = np.where(inside, kernel((taps - center[:, None] + 0.5) * (1.0 / widen)), 0.0)
    weights = weights / weights.sum(axis=1)[:, None] * (1 << PRECISION_BITS)
    fixed = np.where(weights < 0, weights - 0.5, weights + 0.5).astype(np.int32)
    return np.minimum(taps, size - 1), np.where(inside, fixed, 0).astype(np.int32)
