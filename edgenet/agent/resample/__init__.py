"""Resampling, one file a library whose pixels it makes to the bit: in numpy, and by itself where it is here.

Python 3.6 syntax: this file travels to the board.
"""

from . import nearest, opencv, pillow, tensorflow

FAMILIES = (pillow, tensorflow, opencv, nearest)
NAMES = tuple(name for family in FAMILIES for name in family.NAMES)
SYNONYMS = pillow.SYNONYMS


def resampled(image, full, first, size, name):
    """A window of an image that is resized.

    Args:
        image: uint8 [rows, columns, channels], or an open Pillow image of 8-bit bands.
        full: The whole resized image's (rows, columns).
        first: Where in it the window begins, (row, column).
        size: The window's (rows, columns).
        name: One of ``NAMES``.

    Returns:
        uint8 [size[0], size[1], channels]; a buffer that this thread's next call overwrites.
    """
    family = next(family for family in FAMILIES if name in family.NAMES)
    return family.resampled(image, full, first, size, name)
