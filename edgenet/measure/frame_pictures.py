"""Photographs as the frames that a camera would give of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import decode, encode_jpeg, fit
from edgenet.errors import DataError
from edgenet.frame import FORMS, Frame
from edgenet.text import cause

__all__ = ["frame_pictures"]

QUALITY = 90
Pixels = NDArray[np.uint8]
# ITU-R BT.601-7, table 3: studio range, what cameras' YUV is unless they say otherwise.
_TO_YUV = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255
_OFFSET = np.array([16.0, 128.0, 128.0])


def frame_pictures(images: Sequence[bytes], frame: Frame, orientation: str) -> Iterator[bytes]:
    """Each image as one frame.

    The largest part of the image that has the frame's shape, around its center, is resized to the frame
    (bicubic, antialiased where it shrinks) and encoded: JPEG at quality 90 with 4:2:0, as cameras do; raw
    forms in BT.601's studio range, a color being the mean of the pixels that share it. A photograph smaller
    than the frame has less detail than a camera's picture, so its JPEG has fewer bytes: the report says how
    many.

    Args:
        images: Encoded images.
        frame: Size and form.
        orientation: What the card says of photographs with an Exif tag; frames carry none.

    Raises:
        DataError: An image cannot be decoded here.
    """
    spec = {"size": [frame.height, frame.width], "resize": "stretch", "interpolation": "bicubic-antialias"}
    encode = ENCODERS[frame.form]
    for data in images:
        try:
            image = decode(data, orientation)
        except ValueError as error:
            raise DataError(
                f"no frame can be made of an image: {cause(error)}", "repair the folder"
            ) from None
        yield encode(fit(_cropped(image, frame), spec))


def _cropped(image: Pixels, frame: Frame) -> Pixels:
    """The largest part of the frame's shape, centered."""
    rows, columns = image.shape[:2]
    wide = min(columns, max(1, round(rows * frame.width / frame.height)))
    high = min(rows, max(1, round(columns * frame.height / frame.width)))
    top, left = (rows - high) // 2, (columns - wide) // 2
    return image[top : top + high, left : left + wide]


def _jpeg(image: Pixels) -> bytes:
    return encode_jpeg(image, QUALITY)


def _rgb(image: Pixels) -> bytes:
    return image.tobytes()


def _yuyv(image: Pixels) -> bytes:
    luma, blue, red = _yuv(image, 1)
    pairs = np.stack([luma[:, 0::2], blue, luma[:, 1::2], red], axis=2)
    return pairs.tobytes()


def _yuv420(image: Pixels) -> bytes:
    return b"".join(plane.tobytes() for plane in _yuv(image, 2))


def _nv12(image: Pixels) -> bytes:
    luma, blue, red = _yuv(image, 2)
    return luma.tobytes() + np.stack([blue, red], axis=2).tobytes()


def _yuv(image: Pixels, rows: int) -> tuple[Pixels, Pixels, Pixels]:
    """Y, Cb and Cr of uint8 [height, width, 3]; two columns and so many rows share a color."""
    yuv = image.astype(np.float32) @ _TO_YUV.T.astype(np.float32) + _OFFSET.astype(np.float32)
    height, width = image.shape[:2]
    colors = yuv[:, :, 1:].reshape(height // rows, rows, width // 2, 2, 2).mean(axis=(1, 3))
    luma, blue, red = (np.rint(part).astype(np.uint8) for part in (yuv[:, :, 0], *np.moveaxis(colors, 2, 0)))
    return luma, blue, red


ENCODERS: dict[str, Callable[[Pixels], bytes]] = {
    "jpeg": _jpeg,
    "yuyv": _yuyv,
    "rgb": _rgb,
    "yuv420": _yuv420,
    "nv12": _nv12,
}
assert ENCODERS.keys() == FORMS.keys()
