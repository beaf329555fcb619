"""Pictures of one form, and the way of each to the pixels that the network sees."""

import numpy as np

from .. import planes, preprocess

ENCODED = "jpeg"
_NOT_DECODED = "a {} frame is not encoded: its colors are converted where it is fitted"


class Frames(object):
    """Pictures in turn, without end.

    Args:
        pictures: Bytes of each, at least one.
        spec: The preprocessing, as ``preprocess.pixels_of`` takes it.
        frame: ``kind`` and ``size`` [width, height] of frames as a camera gives them, "jpeg" or a layout of
            ``planes``; ``None`` for images as files hold them.

    Attributes:
        parts: The parts of the way before the network.
        absent: Part → why there is none.
    """

    def __init__(self, pictures, spec, frame=None):
        self._pictures, self._spec = pictures, spec
        self._raw = None if frame is None or frame["kind"] == ENCODED else (frame["kind"], frame["size"])
        self._pixels = np.empty([1] + list(spec["size"]) + [3], np.uint8)
        self.parts = ("decode", "fit") if self._raw is None else ("fit",)
        self.absent = {} if self._raw is None else {"decode": _NOT_DECODED.format(self._raw[0])}

    def decode(self, index):
        """A picture decoded; a raw one as it is."""
        data = self._pictures[index % len(self._pictures)]
        return data if self._raw else preprocess.opened(data, self._spec)

    def fit(self, picture):
        """What ``decode`` gave as the network sees it: uint8 [1, H, W, 3], RGB, for a while."""
        if self._raw is None:
            preprocess.fit(picture, self._spec, self._pixels[0])
        else:
            kind, size = self._raw
            planes.fitted(kind, picture, size, self._spec, out=self._pixels[0])
        return self._pixels

    def pixels(self, index):
        """Both."""
        return self.fit(self.decode(index))
