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
    def closed(self):
        """Whether nothing comes any more."""
        return self._closed
