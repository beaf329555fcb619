"""Encoded image in, RGB out: by simplejpeg and Pillow where they are here, and PPM without any library.

All of them decode JPEG with libjpeg-turbo's accurate DCT and its smooth upsampling, so the pixels are the
same.

Python 3.6 syntax: this file travels to the board.
"""

import importlib
import io
import re
import warnings
from typing import Any

import numpy as np

from . import exif, pnm
from .geometry import covers
from .resample.gather import buffer

IGNORE, APPLY = ORIENTATIONS = ("ignore", "apply")
FULL, SCALED = DECODES = ("full", "scaled")
MAX_PIXELS = 64 * 1024 * 1024
# Rows whose colors are computed at once: what that needs besides is small.
_BAND = 64
UNSCALED = {"F": "floating-point", "I": "32-bit"}

_SIMPLEJPEG: Any = None
try:
    _SIMPLEJPEG = importlib.import_module("simplejpeg")
except ImportError:
    pass


class _Refused(Exception):
    """An image that Pillow reads and this file does not; its text is the whole reason."""


def can_decode() -> list:
    """The image formats that :func:`decode` reads here: always "ppm", with Pillow also "jpeg" and "png"."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        return ["ppm"]
    return ["ppm", "jpeg", "png"]


def sizes(data: bytes) -> list:
    """The (width, height) that each library here would decode an image to; no pixel is.

    What a file's first header says may be none of them: a PNG with two headers, a marker that one library
    skips and another does not.

    Raises:
        ValueError: As :func:`decode`, where that can be told without the pixels.
    """
    if pnm.is_pnm(data):
        return [size for size in [pnm.size(data)] if size]
    found = []
    if _SIMPLEJPEG is not None and data[:3] == b"\xff\xd8\xff":
        try:
            found.append(_SIMPLEJPEG.decode_jpeg_header(data)[1::-1])
        except ValueError:
            pass  # then Pillow decodes it
    try:
        found.append(_with_pillow(data, lambda image: image.size))
    except ValueError:
        if not found:
            raise
    return found


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
    return np.array(opened(data, {"orientation": orientation}))


def opened(data: bytes, spec: dict) -> Any:
    """Decode one image for :func:`edgenet.agent.preprocess.fit`, with as few copies as its library allows.

    Args:
        data: As :func:`decode` takes it.
        spec: ``orientation`` ("ignore" where there is none) and ``decode``: "full" (as where there is none),
            or "scaled": a JPEG by the largest of 8, 4 and 2 that leaves every pixel the network sees, with
            the DCT's lower frequencies alone; then also what ``covers`` needs.

    Returns:
        A Pillow image, or uint8 [height, width, 3] in a buffer that this thread's next call overwrites.

    Raises:
        ValueError: As :func:`decode`.
    """
    turned = exif.orientation(data) if spec.get("orientation", IGNORE) == APPLY else 1
    picture = _decoded(data, spec if spec.get("decode", FULL) == SCALED else None, turned)
    return picture if turned == 1 else exif.upright(np.asarray(picture), turned)


def _factor(rows, columns, spec, turned):
    """What the sides of a JPEG may be divided by."""
    if spec is None:
        return 1
    sides = [(-(-rows // factor), -(-columns // factor), factor) for factor in (8, 4, 2)]
    for high, wide, factor in sides:
        if covers(*((wide, high) if turned > 4 else (high, wide)), spec=spec):
            return factor
    return 1


def _decoded(data, spec, turned):
    if pnm.is_pnm(data):
        return pnm.decode(data, MAX_PIXELS)
    picture = _by_simplejpeg(data, spec, turned)
    return _by_pillow(data, spec, turned) if picture is None else picture


def _by_simplejpeg(data, spec, turned):
    """A JPEG in a buffer; ``None`` where this library is not here or not content with the file."""
    if _SIMPLEJPEG is None or data[:3] != b"\xff\xd8\xff":
        return None
    try:
        rows, columns, space, _ = _SIMPLEJPEG.decode_jpeg_header(data)
        if space not in ("YCbCr", "Gray") or rows * columns > MAX_PIXELS:
            return None
        factor = _factor(rows, columns, spec, turned)
        high, wide = -(-rows // factor), -(-columns // factor)
        room = buffer("decoded", (high, wide, 3), np.uint8)
        least = {"min_height": high, "min_width": wide, "min_factor": factor} if factor > 1 else {}
        made = _SIMPLEJPEG.decode_jpeg(data, "RGB", buffer=room.reshape(-1), **least)
        return made if made.shape == room.shape else None
    except (ValueError, MemoryError):
        return None


def _by_pillow(data, spec, turned):
    def scaled(image):
        width, height = image.size
        factor = _factor(height, width, spec, turned) if image.format == "JPEG" else 1
        if factor > 1:
            image.draft(image.mode, (width // factor, height // factor))
        return _rgb(image)

    return _with_pillow(data, scaled)


def _with_pillow(data, work):
    """What ``work`` makes of an image that Pillow opened."""
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
            return work(image)
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


def _rgb(image):
    """An open Pillow image in RGB, or its pixels, whatever its mode; refused if it has no range to scale by.

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
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _rgb_of_cmyk(image) -> np.ndarray:
    """As Pillow since 6.2: (255 - ink) * (255 - black) / 255, to the nearest."""
    made = np.empty(image.shape[:2] + (3,), np.uint8)
    for top in range(0, len(image), _BAND):
        part = image[top : top + _BAND]
        light = 255 - part[:, :, 3].astype(np.uint16)
        for channel in range(3):
            ink = part[:, :, channel] * light + 128
            made[top : top + _BAND, :, channel] = light - ((ink >> 8) + ink >> 8)
    return made
