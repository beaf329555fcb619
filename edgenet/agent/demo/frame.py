"""Pictures on their way, the slots of depth one between the stages, and the models' turns."""

import collections
import threading
from typing import Any

_HELD = threading.Lock()


class Frame(object):
    """One picture as its source gave it.

    Attributes:
        number: Counts the source's pictures from 0.
        kind: "rgb" (``data`` is uint8 [height, width, 3]), "jpeg" (bytes), or raw bytes in a layout of
            ``planes.LAYOUTS``.
        data: The picture; its buffer goes back to its source when nobody holds the frame any more.
        size: (width, height), or ``None`` where only decoding tells.
        seen: (width, height) of what was fitted to the models: upright where they take it so.
        large: The same moment as a larger frame, for people; ``None`` where nobody looks or there is none.
        stride, color: Of a raw layout, as ``planes.fitted`` takes them.
        taken: When it arrived, on ``time.perf_counter``'s clock, seconds.
        turned: Its Exif orientation, where its source took it out of a file.
        cost: Seconds up to ``taken`` from when the picture began: the driver's time stamp, its first byte, or
            the start of drawing.
        question: Who waits for its answer, where it is a viewer's own picture.
    """

    def __init__(self, kind, data, size=None, pool=None):
        self.kind, self.data, self.size = kind, data, size
        self.stride, self.color = 0, "bt601"
        self.large: Any = None
        self.seen: Any = size
        self.number, self.taken, self.cost, self.turned = 0, 0.0, 0.0, 1
        self.question: Any = None
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
            if self._holders:
                return
            large, self.large = self.large, None
            if self._pool is not None:
                self._pool.append(self)
        if large is not None:
            large.drop()


class FrameInFlight(object):
    """One frame through the stages, with the clock at each door.

    Attributes:
        asked: Whether each model was.
        raw: Each model's raw output and seconds, ``None`` where it was not asked.
        tops: Each model's five best.
        boxes: Each model's objects with their places, ``None`` where it has none.
        second: What the second model of a chain says of the first object, and its seconds; ``None`` without.
        told: What each model says, ``None`` where it says nothing; equal where they agree.
    """

    def __init__(self, frame, asked, begun, ready):
        self.frame, self.asked, self.begun, self.ready = frame, asked, begun, ready
        self.invoked = self.answered = self.concluded = 0.0
        self.raw: Any = []
        self.tops: Any = []
        self.boxes: Any = []
        self.told: Any = []
        self.second: Any = None

    def age(self):
        """Glass to label: from when the picture began to its label, seconds."""
        return self.concluded - self.frame.taken + self.frame.cost

    def agree(self):
        """Whether both models say the same; ``None`` where not both were asked."""
        if sum(bool(top) for top in self.tops) < 2:
            return None
        return self.told[0] is not None and self.told[0] == self.told[1]


class Between(object):
    """What lies between two threads, until it is closed; each kind says when it is ``_empty()``."""

    _empty: Any

    def __init__(self):
        self._changed = threading.Condition()
        self._closed = False

    def close(self):
        """Nothing comes any more: whoever waits goes on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def over(self):
        """Whether it is closed and empty: nothing comes any more."""
        with self._changed:
            return self._closed and self._empty()


class Slot(Between):
    """Room for one thing: a newer one takes the place of one that nobody took; and for one that goes first.

    Attributes:
        replaced: How many were never taken.
    """

    def __init__(self):
        Between.__init__(self)
        self._item: Any = None
        self._first: Any = None
        self.replaced = 0

    def put(self, item):
        """Put a thing in; returns what it took the place of, or ``None``."""
        with self._changed:
            old, self._item = self._item, item
            if old is not None:
                self.replaced += 1
            self._changed.notify_all()
        return old

    def put_first(self, item):
        """Put a thing in that is taken before any other and replaced by none; one at a time."""
        with self._changed:
            self._first = item
            self._changed.notify_all()

    def take(self, seconds=None):
        """What goes first, else the newest thing, waiting for one; ``None`` after ``seconds`` or where the
        slot is closed."""
        with self._changed:
            if self._empty() and not self._closed:
                self._changed.wait(seconds)
            if self._first is not None:
                item, self._first = self._first, None
            else:
                item, self._item = self._item, None
            self._changed.notify_all()
        return item

    def _empty(self):
        return self._item is None and self._first is None


class InferenceQueue(Between):
    """The passages that the models have: one at work, and at most one that follows at once.

    The follower is handed over before the first is answered, so the models never wait for this process; and
    no sooner than needed for that, so it is not old when its turn comes.
    """

    def __init__(self, clock):
        Between.__init__(self)
        self._clock = clock
        self._passages: Any = collections.deque()
        self._free = 0.0

    def wait(self, lead, seconds):
        """Whether it is time to prepare the next: nothing follows yet, and what is at work is so for ``lead``
        seconds; waits so many ``seconds`` for that."""
        with self._changed:
            if self._closed:
                return True
            if len(self._passages) > 1:
                self._changed.wait(seconds)
            left = lead - (self._clock() - self._free) if self._passages else 0.0
            if len(self._passages) == 1 and left > 0:
                self._changed.wait(min(left, seconds))
            return self._closed or len(self._passages) < 2 and (not self._passages or left <= 0)

    def add(self, passage):
        """The models were asked this."""
        with self._changed:
            if not self._passages:
                self._free = self._clock()
            self._passages.append(passage)
            self._changed.notify_all()

    def first(self, seconds):
        """What is at work, waiting for it; ``None`` after ``seconds``."""
        with self._changed:
            if not self._passages and not self._closed:
                self._changed.wait(seconds)
            return self._passages[0] if self._passages else None

    def done(self):
        """What was at work is answered; returns since when the models had worked on it."""
        with self._changed:
            self._passages.popleft()
            began, self._free = self._free, self._clock()
            self._changed.notify_all()
        return began

    def _empty(self):
        return not self._passages
