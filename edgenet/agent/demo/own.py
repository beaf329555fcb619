"""A viewer's own picture: checked, and answered by the models between two frames of the source.

It takes the way of every frame, so what is told of it is what the source's pictures would be told. One is
on its way at a time, so the board holds one picture's bytes, however many viewers ask.
"""

import threading
import time
from typing import Any

from .body import Refused
from .encoded import header
from .pixels import turned
from .sources.folder import picture

MAX_PIXELS = 16 << 20
# Between two pictures, of all viewers together.
LEAST_S = 0.1
# For the one before this one; for its answer.
TURN_S, ANSWER_S = 2.0, 15.0


class Question(object):
    """What waits for a frame's answer."""

    def __init__(self):
        self._done = threading.Event()
        self._passage: Any = None
        self._why = "the demo did not answer in time"

    def settle(self, passage):
        """It is answered."""
        self._passage = passage
        self._done.set()

    def refuse(self, why):
        """It is not; the reason."""
        self._why = why
        self._done.set()

    def wait(self, seconds):
        """The answered passage.

        Raises:
            ValueError: There is none; why.
        """
        self._done.wait(seconds)
        if self._passage is None:
            raise ValueError(self._why)
        return self._passage


class OwnPictures(object):
    """Answers viewers' pictures, one after the other.

    Args:
        pipeline: Where frames are asked.
        clock: Seconds.
    """

    def __init__(self, pipeline, clock=time.perf_counter):
        self._pipeline, self._clock = pipeline, clock
        self._turn = threading.Lock()
        self._next = 0.0

    def answer(self, body):
        """What the models say of a picture: ``passage``, and the seconds from its last byte on.

        Args:
            body: ``size``, and ``read()``, which is called only when it is this picture's turn.

        Raises:
            Refused: It is not answered, whatever is wrong with it.
        """
        if not self._turn.acquire(timeout=TURN_S):
            raise Refused(429, "another picture is being answered; try again")
        try:
            if self._clock() < self._next:
                raise Refused(429, "too many pictures at once; try again")
            self._next = self._clock() + LEAST_S
            return self._answered(body.read())
        except ValueError as error:
            raise Refused(400, "the board cannot use this picture: {}".format(error))
        finally:
            self._turn.release()

    def _answered(self, data):
        began = self._clock()
        (width, height), question = header(data)[1], Question()
        if width * height > MAX_PIXELS:
            raise ValueError("{}x{} pixels, more than {} megapixels".format(width, height, MAX_PIXELS >> 20))
        frame = picture(data)
        frame.taken, frame.question = self._clock(), question
        self._pipeline.ask(frame.hold())
        return question.wait(ANSWER_S), self._clock() - began


def facts(passage, seconds, spec):
    """Of an answered picture: ``size``, ``ms`` of each part, ``as_stored`` (the card ignores its tag)."""
    frame = passage.frame
    parts = {
        "pre": passage.ready - passage.begun,
        "invoke": passage.answered - passage.invoked,
        "post": passage.concluded - passage.answered,
        "all": seconds,
    }
    return {
        "size": frame.size,
        "ms": {name: round(value * 1e3, 3) for name, value in parts.items()},
        "as_stored": turned(frame) != 1 and spec.get("orientation") != "apply",
    }
