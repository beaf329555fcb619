"""What every source of pictures does, and how the ways that it can fail are told apart."""

import time
from typing import Any

from ..frame import Frame


class Lost(Exception):
    """The source went away; it may come back: unplugged, restarting, no network. The reason is the text."""


class Ended(Exception):
    """The source has no more pictures."""


class Damaged(Exception):
    """One picture was damaged; the next may be whole."""


class Source(object):
    """Pictures, one after the other.

    Args:
        options: ``size`` ([width, height] or None), ``fps`` (or None), ``loop``, ``specs`` (the models'
            preprocessing), and what the kind needs.

    Attributes:
        name: For people.
        note: What they should know of its pictures, or nothing.
    """

    name = "source"
    note = ""

    def __init__(self, options):
        self.options = options
        self.fps = options.get("fps")

    def open(self):
        """Begin.

        Raises:
            Failure: It cannot work here; what to do.
            Lost: It is not there just now.
        """

    def read(self):
        """Wait for the next picture, a :class:`Frame` with ``taken`` and ``cost``.

        Raises:
            Lost, Ended, Damaged: As they say.
        """
        raise Ended()

    def reopen(self):
        """Try to come back after ``Lost``; whether it worked is seen at the next ``read``."""

    def interrupt(self):
        """Whoever waits in ``read`` goes on soon; ``close`` follows."""

    def close(self):
        """Let the camera go; never raises."""

    def look(self, wanted):
        """Whether anybody looks at the pictures; whoever has a larger one for people gives it then."""

    def too_small(self):
        """The note of a source whose pictures are enlarged for the models."""
        return "its picture, {}x{}, is smaller than what the model reads".format(*self.options["size"])


class Pace(object):
    """Keeps to a rate: ``wait()`` returns when the next picture is due; late ones are not made up for."""

    def __init__(self, fps, clock=time.perf_counter, sleep=time.sleep):
        self._step = 1.0 / fps if fps else 0.0
        self._clock, self._sleep = clock, sleep
        self._due = clock()

    def wait(self):
        """Sleep until the next picture is due."""
        if self._step:
            left = self._due - self._clock()
            if left > 0:
                self._sleep(left)
            self._due += self._step
            if self._due < self._clock():
                self._due = self._clock() + self._step


class Pool(object):
    """Frames with RGB buffers that come back when nobody holds them."""

    def __init__(self, width, height):
        self._shape = (height, width, 3)
        self._free: Any = []

    def frame(self):
        """A frame whose ``data``, uint8 [height, width, 3], may be written."""
        import numpy as np

        if self._free:
            return self._free.pop()
        return Frame("rgb", np.empty(self._shape, np.uint8), (self._shape[1], self._shape[0]), self._free)
