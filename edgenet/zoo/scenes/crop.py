"""Parts of pictures, so that a few of them teach many sizes, places and shapes."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["cropped"]

# Share of pictures that stay whole; the smallest part of a side; the part of a box that has to be left of it.
WHOLE, SMALLEST, KEPT = 0.3, 0.55, 0.5


def cropped(
    pixels: np.ndarray, boxes: np.ndarray, side: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A part of a picture, stretched to a square.

    Args:
        pixels: uint8 [height, width, 3].
        boxes: [n, 4] of left, top, right, bottom in pixels.
        side: Of the square, in pixels.
        random: Chooses the part.

    Returns:
        float32 [side, side, 3] in 0..255, by Pillow's bilinear filter; the boxes that are left, in fractions
        of the part and cut off at its sides, [kept, 4]; and which of the boxes those are, bool [n].
    """
    whole = np.array(pixels.shape[1::-1], float)
    size, low = whole.copy(), np.zeros(2)
    if random.random() >= WHOLE:
        size *= random.uniform(SMALLEST, 1.0, 2)
        low = random.uniform(0.0, whole - size)
    part = (*low, *(low + size))
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR, box=part)
    moved = (boxes - np.tile(low, 2)) / np.tile(size, 2)
    inside = np.clip(moved, 0.0, 1.0)
    left, all_ = ((item[:, 2:] - item[:, :2]).prod(axis=1) for item in (inside, moved))
    kept = left >= KEPT * all_
    return np.asarray(image, np.float32), inside[kept], kept
