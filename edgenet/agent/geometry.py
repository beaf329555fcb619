"""How a picture of any size becomes the network's: which part is resized, to what, and what is kept of that.

Python 3.6 syntax: this file travels to the board.
"""

from typing import Any, Mapping

import numpy as np

STRETCH, SHORT_SIDE, NONE = "stretch", "short-side", "none"
SQUASH, CENTER_CROP = "squash", "center-crop"
CROP_TO_ASPECT, PAD_TO_ASPECT, LETTERBOX = "crop-to-aspect", "pad-to-aspect", "letterbox"
RESIZES = (STRETCH, SHORT_SIDE, NONE, SQUASH, CENTER_CROP, CROP_TO_ASPECT, PAD_TO_ASPECT, LETTERBOX)
# Those that need another key, and which.
NEEDS = {SHORT_SIDE: "resize_to", SQUASH: "resize_to", CENTER_CROP: "crop_fraction"}
PADDED = (PAD_TO_ASPECT, LETTERBOX)


class Geometry(object):
    """One picture's way.

    Attributes:
        source: The part of the picture that is resized: (top, left, rows, columns); its edges may lie
            outside, where there is nothing but ``fill``.
        full: (rows, columns) that the part is resized to.
        first: Where the network's window begins in that, (row, column); negative where it begins outside.
    """

    def __init__(self, source: tuple, full: tuple, first: tuple) -> None:
        self.source, self.full, self.first = source, full, first

    @property
    def shrinks(self) -> bool:
        """Whether no side is enlarged."""
        return bool(self.full[0] <= self.source[2] and self.full[1] <= self.source[3])

    def view(self, size: Any) -> tuple:
        """Left, top, width, height in pixels of the picture of what a network of this size sees."""
        down, right = self.source[2] / float(self.full[0]), self.source[3] / float(self.full[1])
        left, top = self.source[1] + self.first[1] * right, self.source[0] + self.first[0] * down
        return left, top, size[1] * right, size[0] * down


def geometry(rows: int, columns: int, spec: Mapping[str, Any]) -> Geometry:
    """The way of a picture of ``rows`` and ``columns``.

    Args:
        spec: ``size`` [height, width], ``resize``, one of ``RESIZES``, and what it needs.

    Raises:
        ValueError: ``resize`` is "none" and the size differs, or the picture is empty.
    """
    height, width = size = tuple(spec["size"])
    if rows == 0 or columns == 0:
        raise ValueError("an image without pixels")
    if spec["resize"] == NONE and (rows, columns) != size:
        raise ValueError("image is {}x{}, the network takes {}x{}".format(rows, columns, height, width))
    way: Geometry = _WAYS[spec["resize"]](rows, columns, height, width, spec)
    return way


def covers(rows: int, columns: int, spec: Mapping[str, Any]) -> bool:
    """Whether a picture of this size has every pixel that the network sees, so that nothing is enlarged."""
    try:
        return geometry(rows, columns, spec).shrinks
    except ValueError:
        return False


def _stretch(rows, columns, height, width, _spec):
    return Geometry((0, 0, rows, columns), (height, width), (0, 0))


def _short_side(rows, columns, height, width, spec):
    """torchvision's Resize(int) and CenterCrop."""
    short = spec["resize_to"]
    full = (short, short * columns // rows) if rows <= columns else (short * rows // columns, short)
    return Geometry((0, 0, rows, columns), full, _centered(full, height, width))


def _squash(rows, columns, height, width, spec):
    """timm's crop mode "squash": Resize((side, side)) and CenterCrop."""
    full = (spec["resize_to"], spec["resize_to"])
    return Geometry((0, 0, rows, columns), full, _centered(full, height, width))


def _centered(full, height, width):
    """torchvision's CenterCrop: half of what is over, halves to the even number."""
    return int(round((full[0] - height) / 2.0)), int(round((full[1] - width) / 2.0))


def _center_crop(rows, columns, height, width, spec):
    """``tf.image.central_crop`` and a resize, as TF-Slim evaluates MobileNets."""
    top, left = (int((side - side * float(spec["crop_fraction"])) / 2) for side in (rows, columns))
    return Geometry((top, left, rows - 2 * top, columns - 2 * left), (height, width), (0, 0))


def _crop_to_aspect(rows, columns, height, width, _spec):
    """Keras' ``smart_resize``: the largest part of the network's aspect ratio."""
    high = max(min(rows, _ratio(columns, height, width)), 1)
    wide = max(min(columns, _ratio(rows, width, height)), 1)
    return Geometry(((rows - high) // 2, (columns - wide) // 2, high, wide), (height, width), (0, 0))


def _pad_to_aspect(rows, columns, height, width, _spec):
    """Keras' ``pad_to_aspect_ratio``: a canvas of that ratio, the picture in its middle, is resized."""
    above = (max(rows, _ratio(columns, height, width)) - rows) // 2
    before = (max(columns, _ratio(rows, width, height)) - columns) // 2
    source = (-above, -before, rows + 2 * above, columns + 2 * before)
    return Geometry(source, (height, width), (0, 0))


def _ratio(side, times, by):
    """As Keras computes it, in float32."""
    return int(np.float32(side * times) / np.float32(by))


def _letterbox(rows, columns, height, width, _spec):
    """timm's ResizeKeepRatio(longest=1) and CenterCropOrPad: resized, then put into the middle."""
    ratio = max(rows / float(height), columns / float(width))
    full = max(int(round(rows / ratio)), 1), max(int(round(columns / ratio)), 1)
    return Geometry((0, 0, rows, columns), full, (-((height - full[0]) // 2), -((width - full[1]) // 2)))


_WAYS = {
    STRETCH: _stretch,
    NONE: _stretch,
    SHORT_SIDE: _short_side,
    SQUASH: _squash,
    CENTER_CROP: _center_crop,
    CROP_TO_ASPECT: _crop_to_aspect,
    PAD_TO_ASPECT: _pad_to_aspect,
    LETTERBOX: _letterbox,
}
