"""Images that several builds of one network look at: decoded once, as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgenet.imageset import ImageSet
from edgenet.preprocessing import Preprocessing

__all__ = ["Decoded"]

# Of pixels, in a process: 1,700 images of 224 x 224.
ROOM = 256 << 20


@dataclass(frozen=True, repr=False)
class Decoded(ImageSet):
    """A set of images that keeps the pixels it gave; those for which there is no room are decoded again."""

    _pixels: dict[tuple[Path, Preprocessing], NDArray[np.uint8]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, images: ImageSet) -> Decoded:
        """The same images."""
        return cls(images.folder, images.files, images.truth, images.left_out, images.annotations)

    def pixels(self, index: int, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """As :meth:`edgenet.imageset.ImageSet.pixels`; not to be written to."""
        key = self.files[index], preprocessing
        found = self._pixels.get(key)
        if found is None:
            found = super().pixels(index, preprocessing)
            found.flags.writeable = False
            if (len(self._pixels) + 1) * found.nbytes <= ROOM:
                self._pixels[key] = found
        return found
