"""A viewer's own picture: checked, and answered by the models between two frames of the source.

It takes the way of every frame, so what is told of it is what the source's pictures would be told. One is
on its way at a time, so the board holds one picture's bytes, however many viewers ask.
"""

import threading
import time
from typing import Any

import numpy as np

from .. import preprocess
from ..facts import sensors
from .body import Refused
from .encoded import header
from .pixels import fill, rgb, turned
from .sources.folder import picture

# Pixels in all, along a side, and of the longer side for one of the shorter: what is long and thin grows
# without end when its shorter side is enlarged to what a model reads.
MAX_PIXELS, MAX_SIDE, MAX_RATIO = 16 << 20, 8192, 16
# Memory that decoding takes at most: RGBA, the same as RGB in four bytes each, and as the models' pixels.
BYTES_A_PIXEL = 12
# Between two pictures, of all viewers together.
LEAST_S = 0.1
# For the one before this one; for its answer.
TURN_S, ANSWER_S = 2.0, 15.0


class Question(object):
    """What waits for a frame's answer.

    Args:
        models: What will answer.

    Attributes:
        pixels: A model's ``key`` → what it is to see, uint8 [H, W, 3].
        seconds: What preparing took.
    """

    def __init__(self, models):
        self._places = [_Place(model) for model in models]
        self.pixels = {place.key: place.room() for place in self._places}
        self.seconds = 0.0
        self._done = threading.Event()
        self._passage: Any = None

    def prepare(self, data, whole):
        """Fit a picture for the models in a thread that takes its buffers with it: no frame waits for it.

        Args:
            data: The encoded picture.
            whole: Whether all of its pixels are needed later.

        Returns:
            The picture as a frame.

        Raises:
            ValueError: It is damaged, or the board has no memory for it.
        """
        made: Any = []
        failed: Any = []

        def work():
            try:
                frame = picture(data)
                fill(self._places, frame)
                if whole:
                    frame.turned = turned(frame)
                    frame.data, frame.kind = np.array(rgb(frame)), "rgb"
                made.append(frame)
            except MemoryError:
                failed.append(ValueError("the board has not enough memory for its pixels"))
            except Exception as error:
                failed.append(error)

        began = time.perf_counter()
        thread = threading.Thread(target=work, name="own")
        thread.start()
        thread.join()
        self.seconds = time.perf_counter() - began
        if failed:
            raise failed[0]
        return made[0]

    def settle(self, passage):
        """It is answered."""
        self._passage = passage
        self._done.set()

    def wait(self, seconds):
        """The answered passage.

        Raises:
            ValueError: There is none in time.
        """
        self._done.wait(seconds)
        if self._passage is None:
            raise ValueError("the demo did not answer in time")
        return self._passage


class _Place(object):
    """Room for a model's pixels that is not the model's."""

    def __init__(self, model):
        self.key, self.spec = model.key, model.spec
        self._pixels = np.empty_like(model.room())

    def room(self):
        """uint8 [H, W, 3]."""
        return self._pixels


class OwnPictures(object):
    """Answers viewers' pictures, one after the other.

    Args:
        pipeline: Where frames are asked.
        models: What is shown the frames.
        whole: Whether all of a picture's pixels are needed to answer it.
        clock: Seconds.
    """

    def __init__(self, pipeline, models, whole=False, clock=time.perf_counter):
        self._pipeline, self._models, self._whole, self._clock = pipeline, models, whole, clock
        self._turn = threading.Lock()
        self._next = 0.0

    def answer(self, body):
        """``(passage, seconds)`` of a picture: ``pre``, and ``all`` from its last byte to its answer.

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
        _check(header(data)[1])
        for size in preprocess.sizes(data):
            _check(size)
        question = Question(self._models)
        frame = question.prepare(data, self._whole)
        frame.taken, frame.question = self._clock(), question
        self._pipeline.ask(frame.hold())
        passage = question.wait(ANSWER_S)
        frame.question = None  # they know each other; its pixels need not wait for the garbage collector
        return passage, {"pre": question.seconds, "all": self._clock() - began}


def _check(size):
    pixels, longer, shorter = size[0] * size[1], max(size), min(size)
    if pixels > MAX_PIXELS:
        raise ValueError("{}x{} pixels, more than {} megapixels".format(size[0], size[1], MAX_PIXELS >> 20))
    if longer > min(MAX_SIDE, MAX_RATIO * shorter):
        raise ValueError("{}x{} pixels, which is too long and thin".format(*size))
    needed, free = pixels * BYTES_A_PIXEL / 1e6, _free_mb()
    if free is not None and needed > free:
        raise ValueError(
            "its {}x{} pixels need {:.0f} MB of memory, and {:.0f} MB are free; take a smaller one".format(
                size[0], size[1], needed, free
            )
        )


def _free_mb():
    """Memory that programs can still take, MB; ``None`` where the system does not tell."""
    try:
        return sensors.memory_available("/")
    except (OSError, ValueError):
        return None


def facts(passage, seconds, spec):
    """Of an answered picture: ``size``, ``ms`` of each part, ``as_stored`` (the card ignores its tag)."""
    frame = passage.frame
    parts = {
        "pre": seconds["pre"],
        "invoke": passage.answered - passage.invoked,
        "post": passage.concluded - passage.answered,
        "all": seconds["all"],
    }
    return {
        "size": frame.size,
        "ms": {name: round(value * 1e3, 3) for name, value in parts.items()},
        "as_stored": turned(frame) != 1 and spec.get("orientation") != "apply",
    }
