"""One source at a time, and another one when somebody asks for it, while everything else goes on."""

import threading
from typing import Any

from ...failure import Failure
from .base import Damaged, Ended, Lost, Source

# What the source before may take to let go, and the new one to begin, seconds.
PATIENCE_S = 20.0


class Switch(object):
    """The source that is chosen.

    Args:
        order: Of the first source.
        opener: Opens an order's source; raises Failure.

    Attributes:
        order: Of the source that runs.

    Raises:
        Failure: The first source cannot work here.
    """

    def __init__(self, order, opener):
        self._open, self.order = opener, order
        self._current: Any = opener(dict(order))
        self._wanted: Any = None
        self._looked, self._closed = False, False
        self._lock, self._turn, self._changed = threading.Lock(), threading.Lock(), threading.Event()
        self._refusal: Any = None

    def __getattr__(self, name):
        """``name``, ``note``, ``options`` and ``fps`` are those of the source that runs."""
        return getattr(self._current, name)

    def choose(self, order):
        """Go over to another source; any thread but the one that reads.

        Raises:
            Failure: It cannot work here, and the one before goes on.
        """
        with self._turn:
            with self._lock:
                self._refusal = None
                self._changed.clear()
                self._wanted = order
                self._current.interrupt()
            if not self._changed.wait(PATIENCE_S):
                raise Failure("source", "the source that runs did not let go in time", "try again")
            if self._refusal is not None:
                raise self._refusal

    def read(self):
        """The next picture of the source that runs; changes it first where another is wanted."""
        while True:
            self._change()
            try:
                return self._current.read()
            except (Damaged, Ended, Lost):
                if self._wanted is None:  # else it was only told to end
                    raise

    def _change(self):
        with self._lock:
            order, self._wanted = self._wanted, None
            if order is None:
                return
            self._current.close()
            try:
                self._begin(order)
                self.order = order
            except Failure as failure:
                self._refusal = failure
                self._back()
            finally:
                self._changed.set()

    def _back(self):
        """The source before once more; where even that is gone, ``Lost`` until it is back."""
        try:
            self._begin(self.order)
        except Failure as failure:
            self._current = _Gone(self.order, self._open, failure)

    def _begin(self, order):
        try:
            self._current = self._open(dict(order))
        except (OSError, ValueError) as error:
            raise Failure("source", str(error)[:300])
        self._current.look(self._looked)
        if self._closed:
            self._current.close()

    def reopen(self):
        """As the source that runs does it."""
        self._current.reopen()

    def interrupt(self):
        """Whoever waits in ``read`` goes on soon."""
        self._current.interrupt()

    def close(self):
        """Let the source go."""
        self._closed = True
        self._current.close()

    def look(self, wanted):
        """Whether anybody looks, remembered for the next source."""
        self._looked = wanted
        self._current.look(wanted)


class _Gone(Source):
    """In place of a source that did not come back: tries again whenever it is asked to."""

    def __init__(self, order, opener, failure):
        Source.__init__(self, dict(order))
        self.name = str(order.get("kind"))
        self._order, self._opener, self._failure = order, opener, failure
        self._found: Any = None

    def reopen(self):
        """Try to open it again."""
        try:
            self._found = self._opener(dict(self._order))
        except Failure as failure:
            self._failure = failure

    def read(self):
        """Its next picture, where it is back."""
        if self._found is None:
            raise Lost(self._failure.what)
        return self._found.read()

    def close(self):
        """Let it go, where it was back."""
        if self._found is not None:
            self._found.close()
