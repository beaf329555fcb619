"""Several forms of frames side by side: one run of each in turn, so that all feel the same board."""

import array
import gc
import random
import time

from .. import wire
from . import bench


class Turns(object):
    """One call is a round: one run of each pipeline, in an order that is drawn anew each time.

    Attributes:
        samples: Seconds [rounds, pipelines], row by row, as ``array('d')``: as many as a reply holds.
    """

    def __init__(self, pipelines, clock=time.perf_counter):
        self._pipelines, self._clock = pipelines, clock
        self._taken = array.array("d", [0.0] * len(pipelines))
        self._order, self._random = list(range(len(pipelines))), random.Random(0)
        self._most = wire.MAX_BODY // self._taken.itemsize - len(pipelines)
        self.reset()

    def reset(self):
        """Forget the rounds."""
        self.samples, self._round = array.array("d"), 0
        for pipeline in self._pipelines:
            pipeline.reset()

    @property
    def rounds(self):
        """How many there were."""
        return self._round

    def __call__(self):
        """One round."""
        clock = self._clock
        self._random.shuffle(self._order)
        for index in self._order:
            start = clock()
            self._pipelines[index]()
            self._taken[index] = clock() - start
        self._round += 1
        if len(self.samples) <= self._most:
            self.samples.extend(self._taken)


def run(session, forms, reader, protocol, tell):
    """Time the whole way from bytes to label for each form of frames.

    Args:
        session: A runtime's ``Session``.
        forms: ``Frames``, at least one.
        reader: The task's, see ``tasks``.
        protocol: ``warmup_s``, ``min_seconds``, ``min_runs`` (rounds), ``max_seconds``.
        tell: ``tell(stage, runs, seconds, of_seconds)``.

    Returns:
        ``(facts, samples)``: ``rounds`` and ``parts_ms`` of each form (means); ``Turns.samples``.
    """
    pipelines = [bench.Pipeline(session, frames, reader) for frames in forms]
    turns, limits = Turns(pipelines), bench.Limits(protocol)
    gc.collect()
    gc.disable()
    try:
        bench.warm_up(turns, limits)
        turns.reset()
        bench.measure(
            turns, limits, lambda runs, seconds: tell("frames", runs, seconds, max(limits.seconds, 1e-9))
        )
    finally:
        gc.enable()
    facts = {
        "rounds": len(turns.samples) // len(forms),
        "parts_ms": [pipeline.parts_ms(turns.rounds) for pipeline in pipelines],
    }
    return facts, turns.samples
