"""Capture, pre-process, invoke, post-process and encode, each in its own thread.

Between two stages lies a slot of depth one in which the newest wins: nothing queues, so a label's age stays
bounded, and no stage waits for the encoder. Frames are prepared just in time for the model, which finds the
next one there when it is done.
"""

import os
import sys
import threading
import time
from typing import Any

import numpy as np

from ..failure import Failure, shown
from .chain import PARTS
from .figures import Figures
from .frame import FrameInFlight, InferenceQueue, Slot
from .pixels import fill
from .reading import read, timed_look
from .sources.base import Damaged, Ended, Lost
from .view import View

MODES = ("a", "b", "both")
RETRY_S = 1.0
# What is only looked at has this much less right to the processor than what the models need.
MODEST = 5
# Preparing begins so many times its mean duration before the models are done.
LEAD = 2.0


class Pipeline(object):
    """The threads.

    Args:
        source: An open source.
        models: One or two models.
        chain: What looks at the objects that the only model finds, or ``None``.
        clock: Seconds.

    Attributes:
        figures: What was counted.
        view: What people look at.
        failure: Why it ended, where something failed.
        ended: Set when nothing more comes: the source ended or something failed.
        trouble: What keeps the source from giving pictures just now, or ``None``.
    """

    def __init__(self, source, models, clock=time.perf_counter, chain=None):
        self._source, self._models, self._clock, self._chain = source, models, clock, chain
        self.figures = Figures(PARTS if chain else ())
        self.mode = "both" if len(models) > 1 else "a"
        self.paused = False
        self.failure: Any = None
        self.trouble: Any = None
        self._away = False
        self.ended = threading.Event()
        self.log: Any = None
        self._stopping = threading.Event()
        self.view = View(source, models, self.figures, clock)
        self._slots = {"captured": Slot(), "answered": Slot(), "view": self.view.slot}
        self._turns = InferenceQueue(clock)
        self._last: Any = None
        self._last_lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), name=work.__name__.strip("_"))
            for work in (self._capture, self._prepare, self._invoke, self._conclude, self._show)
        ]

    def start(self):
        """Begin."""
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def stop(self, patience=3.0):
        """End every thread and let the source go."""
        self._stopping.set()
        self._source.interrupt()
        self._turns.close()
        for slot in self._slots.values():
            slot.close()
        self.view.close()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._source.close()

    def _guard(self, work):
        try:
            work()
        except Failure as failure:
            self._fail(failure)
        except Exception as error:
            what = " ".join("{}: {}".format(type(error).__name__, error).split())[:300]
            self._fail(Failure("demo", "the demo failed in {}: {}".format(work.__name__.strip("_"), what)))

    def _fail(self, failure):
        if not self._stopping.is_set():
            self.failure = self.failure or failure
            self.ended.set()

    # -- the stages

    def _capture(self):
        number = 0
        while not self._stopping.is_set():
            try:
                frame = self._source.read()
            except Damaged:
                self.figures.counts["damaged"] += 1
                continue
            except Lost as lost:
                self._lost(lost)
                continue
            except Ended:
                break
            self.trouble, self._away = None, False
            frame.number, number = number, number + 1
            frame.hold()
            if self.paused:
                frame.drop()
                continue
            self.figures.counts["captured"] += 1
            self.figures.captured.add()
            _drop(self._slots["captured"].put(frame))
        self._slots["captured"].close()

    def _lost(self, lost):
        """The source went away: say so and try again until it is back."""
        if not self._away:
            self.figures.counts["lost"] += 1
        self._away = True
        self.trouble = shown(str(lost))
        self._stopping.wait(RETRY_S)
        if not self._stopping.is_set():
            self._source.reopen()

    def _prepare(self):
        for frame in self._each("captured", self._turns, self._in_time):
            begun = self._clock()
            every = self.mode == "both" or frame.question is not None
            asked = [every or self.mode == name for name in MODES[: len(self._models)]]
            models = [model for model, wanted in zip(self._models, asked) if wanted]
            try:
                self._fill(models, frame)
            except ValueError as error:
                self.figures.counts["damaged"] += 1
                self.trouble = "a damaged picture: {}".format(error)
                frame.drop()
                continue
            for model in models:
                model.start()
            self._turns.add(FrameInFlight(frame, asked, begun, self._clock()))

    def _fill(self, models, frame):
        """Write a frame where each model looks for its pixels."""
        if frame.question is None:
            fill(models, frame)
            return
        for model in models:
            np.copyto(model.room(), frame.question.pixels[model.key])

    def _in_time(self):
        """Wait until it is time to prepare a frame: it shall be ready just before the models are."""
        invoke, pre = (self.figures.parts[name][1].mean for name in ("invoke", "pre"))
        return self._turns.wait(invoke - LEAD * pre, 0.5)

    def _invoke(self):
        while not (self._stopping.is_set() or self._turns.over):
            passage = self._turns.first(0.5)
            if passage is None:
                continue
            passage.raw = [
                model.finish() if wanted else None for model, wanted in zip(self._models, passage.asked)
            ]
            passage.answered = self._clock()
            passage.invoked = self._turns.done()
            if passage.frame.question is not None:
                self._slots["answered"].put_first(passage)
                continue
            old = self._slots["answered"].put(passage)
            _drop(old and old.frame)
        self._slots["answered"].close()

    def _conclude(self):
        for passage in self._each("answered", self._slots["view"]):
            begun = self._clock()
            read(passage, self._models)
            part = self.figures.part if passage.frame.question is None else _uncounted
            looked = timed_look(passage, self._chain, self._models[0].spec, part, self._clock)
            passage.concluded = self._clock()
            if passage.frame.question is not None:
                passage.frame.question.settle(passage)
                continue
            self._count(passage, begun, looked)
            with self._last_lock:
                last, self._last = self._last, passage
                passage.frame.hold()
            _drop(last and last.frame)
            old = self._slots["view"].put(passage)
            _drop(old and old.frame)

    def _count(self, passage, begun, looked):
        figures, frame = self.figures, passage.frame
        waits = passage.begun - frame.taken, passage.invoked - passage.ready, begun - passage.answered
        figures.part("capture", frame.cost)
        figures.part("wait", sum(waits))
        figures.part("pre", passage.ready - passage.begun)
        figures.part("invoke", passage.answered - passage.invoked)
        figures.part("post", passage.concluded - begun - looked)
        for figure in figures.age:
            figure.add(passage.age())
        figures.counts["answered"] += 1
        figures.answered.add()
        first = next((top for top in passage.tops if top), None)
        if first:
            figures.label(first[0][0])
        agree = passage.agree()
        if agree is not None:
            figures.counts["compared"] += 1
            figures.counts["disagreed"] += not agree
        if self.log is not None:
            self.log(passage)

    def _show(self):
        if sys.platform.startswith("linux"):
            os.nice(MODEST)  # of this thread alone, there
        self.view.run(self._stopping, self.ended)
        self.ended.set()

    def _each(self, name, following, in_time=lambda: True):
        """What comes through a slot when it is time, until it closes; then what follows is closed too."""
        slot = self._slots[name]
        while not self._stopping.is_set():
            if not in_time():
                continue
            item = slot.take(0.5)
            if item is not None:
                yield item
            elif slot.over:
                break
        following.close()

    # -- what others ask

    def ask(self, frame):
        """Have every model answer a frame that is not the source's, before the source's next; one at a time.

        Its ``question`` is settled with the passage, which counts nowhere and is shown nowhere.
        """
        self._slots["captured"].put_first(frame)

    def last(self):
        """The newest answered passage, its frame held (``drop`` it), or ``None``."""
        with self._last_lock:
            if self._last is not None:
                self._last.frame.hold()
            return self._last

    def dropped(self):
        """Frames that were captured and never answered, because newer ones came."""
        return sum(self._slots[name].replaced for name in ("captured", "answered"))


def _uncounted(_name, _seconds):
    """A viewer's own picture is no frame."""


def _drop(frame):
    if frame is not None:
        frame.drop()
