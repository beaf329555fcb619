"""What people look at: the newest answered frame as a picture for browsers, encoded while somebody looks."""

import threading
import time
from typing import Any

from .clip import Clip
from .encoded import header
from .frame import Slot
from .pixels import encode, oriented, rgb, turned

FPS = 30.0


class View(object):
    """The picture of the page.

    Args:
        source: Told whether anybody looks.
        models: The first one's preprocessing says how a picture is turned.
        figures: Counts what is shown.
        clock: Seconds.

    Attributes:
        slot: Where answered passages come from.
        clip: The last seconds of what was shown.
    """

    def __init__(self, source, models, figures, clock=time.perf_counter):
        self._source, self._models, self._figures, self._clock = source, models, figures, clock
        self.slot, self.clip = Slot(), Clip()
        self._changed = threading.Condition()
        self._picture: Any = None
        self._viewers = 0

    def run(self, stopping, ended):
        """Encode what comes while somebody looks, until the slot is over or ``stopping`` says so."""
        last, due = None, 0.0
        while not (stopping.is_set() or self.slot.over and ended.is_set()):
            passage = self.slot.take(0.1)
            if passage is not None:
                if last is not None:
                    last.frame.drop()
                last = passage
            elif self.slot.over:
                break
            if last is None or not self._viewers or self._clock() < due:
                continue
            if self._picture is None or self._picture[0] != last.frame.number:
                due = self._clock() + 1 / FPS
                self.publish(last)

    def publish(self, passage):
        """Encode a passage's frame and show it."""
        begun, frame = self._clock(), passage.frame.large or passage.frame
        try:
            # A browser would turn a JPEG by its tag, whatever the model takes.
            if frame.kind == "jpeg" and turned(frame) == 1:
                data, kind = frame.data, "jpeg"
            else:
                data, kind = encode(oriented(rgb(frame), frame, self._models[0].spec))
        except ValueError:
            return
        self._figures.page = frame.size
        self._figures.part("encode", self._clock() - begun)
        self._figures.shown.add()
        size = _size(data)
        if size is not None:
            self.clip.add(begun, data, kind, size)
        with self._changed:
            self._picture = (passage.frame.number, data, kind, passage.boxes)
            self._changed.notify_all()

    def close(self):
        """Whoever waits for a picture goes on."""
        self.slot.close()
        with self._changed:
            self._changed.notify_all()

    def watch(self, change):
        """One more viewer (1) or one less (-1)."""
        with self._changed:
            self._viewers += change
            if self._viewers in (0, change):
                self._source.look(self._viewers > 0)

    @property
    def viewers(self):
        """How many watch."""
        return self._viewers

    def picture(self, seen, seconds):
        """The newest ``(number, bytes, format, boxes)`` but number ``seen``; ``None`` after ``seconds``."""
        with self._changed:
            if self._picture is None or self._picture[0] == seen:
                self._changed.wait(seconds)
            picture = self._picture
        return picture if picture is not None and picture[0] != seen else None


def _size(data):
    """(width, height) of an encoded picture, or ``None``: a browser may still show it."""
    try:
        return header(data)[1]
    except ValueError:
        return None
