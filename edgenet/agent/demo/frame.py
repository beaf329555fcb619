"""Pictures on their way through the pipeline, and the slots of depth one between its stages."""

import threading
from typing import Any

_HELD = threading.Lock()


class Frame(object):
    """One picture as its source gave it.

    Attributes:
        number: Counts the source's pictures from 0.
        kind: "rgb" (``data`` is uint8 [height, width, 3]), "jpeg" (bytes), or raw bytes in a layout of
            ``pixels.LAYOUTS``.
        data: The picture; its buffer goes back to its source when nobody holds the frame any more.
        size: (width, height), or ``None`` where only decoding tells.
        taken: When it arrived, on ``time.perf_counter``'s clock, seconds.
        cost: Seconds up to ``taken`` from its first sign: the driver's time stamp, its first byte, the start
            of drawing.
    """

    def __init__(self, kind, data, size=None, pool=None):
        self.kind, self.data, self.size = kind, data, size
        self.number, self.taken, self.cost = 0, 0.0, 0.0
        self._pool, self._holders = pool, 0

    def hold(self):
        """Keep the picture's buffer until ``drop``; returns the frame."""
        with _HELD:
            self._holders += 1
        return self

    def drop(self):
        """Let go; the last one gives the buffer back."""
        with _HELD:
            self._holders -= 1
            if not self._holders and self._pool is not None:
                self._pool.append(self)


class Passage(object):
    """One frame through the stages, with the clock at each door.

    Attributes:
        pixels: What each model sees, uint8 [H, W, 3].
        raw: Each model's raw output and seconds, ``None`` where it was not asked.
        tops: Each model's five best.
    """

    def __init__(self, frame, pixels, begun, ready):
        self.frame, self.pixels, self.begun, self.ready = frame, pixels, begun, ready
        self.invoked = self.answered = self.concluded = 0.0
        self.raw: Any = []
        self.tops: Any = []

    def age(self):
        """From the picture's first sign to its label, seconds."""
        return self.concluded - self.frame.taken + self.frame.cost

    def agree(self):
        """Whether both models name the same label; ``None`` where not both were asked."""
        tops = [top for top in self.tops if top]
        return tops[0][0][2] == tops[1][0][2] if len(tops) > 1 else None


class Slot(object):
    """Room for one thing: a newer one takes the place of one that nobody took.

    Attributes:
        replaced: How many were never taken.
    """

    def __init__(self):
        self._item: Any = None
        self._changed = threading.Condition()
        self._closed = False
        self.replaced = 0

    def put(self, item):
        """Put a thing in; returns what it took the place of, or ``None``."""
        with self._changed:
            old, self._item = self._item, item
            if old is not None:
                self.replaced += 1
            self._changed.notify_all()
        return old

    def take(self, seconds=None):
        """The newest thing, waiting for one; ``None`` after ``seconds`` or where the slot is closed."""
        with self._changed:
            if self._item is None and not self._closed:
                self._changed.wait(seconds)
            item, self._item = self._item, None
            self._changed.notify_all()
        return item

    def wait_for_room(self, seconds):
        """Whether it is empty, waiting so long for that."""
        with self._changed:
            if self._item is not None and not self._closed:
                self._changed.wait(seconds)
            return self._item is None

    def close(self):
        """Nothing comes any more: whoever waits goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def over(self):
        """Whether it is closed and empty: nothing comes any more."""
        with self._changed:
            return self._closed and self._item is None
