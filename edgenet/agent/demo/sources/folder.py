"""Images of a folder, one after the other."""

import os
import time

from ... import exif, preprocess
from ..frame import Frame
from .base import Damaged, Ended, Pace, Source
from .streams import jpeg_size

FPS, MAX_IMAGE = 5.0, 64 << 20


class Folder(Source):
    """Images, one after the other, in the order of their names."""

    def open(self):
        """List them."""
        self.name = self.options.get("name") or "folder of images"
        self.fps = self.fps or FPS
        self._pace, self._next = Pace(self.fps), 0

    def read(self):
        """The next image."""
        paths = self.options["paths"]
        if self._next >= len(paths):
            if not self.options.get("loop"):
                raise Ended()
            self._next = 0
        self._pace.wait()
        began = time.perf_counter()
        path = paths[self._next]
        self._next += 1
        try:
            with open(path, "rb") as stream:
                frame = picture(stream.read(MAX_IMAGE))
        except (OSError, ValueError) as error:
            raise Damaged("{}: {}".format(os.path.basename(path), error))
        frame.taken = time.perf_counter()
        frame.cost = frame.taken - began
        return frame


def picture(data):
    """An encoded image as a frame.

    Raises:
        ValueError: It cannot be decoded here.
    """
    if data[:3] == b"\xff\xd8\xff":
        return Frame("jpeg", data, jpeg_size(data))
    image = preprocess.decode(data)
    frame = Frame("rgb", image, (image.shape[1], image.shape[0]))
    frame.turned = exif.orientation(data)
    return frame
