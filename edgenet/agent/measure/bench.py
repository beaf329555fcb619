"""The measuring loops: warm up until steady, then measure, keep every sample.

Nothing but the call lies between two readings of the clock; the garbage collector is off.
"""

import array
import gc
import sys
import time
from typing import Any, Dict, List

from ..facts import sensors
from . import memory

PROGRESS_S = 0.2
SENSORS_S = 1.0
_STEADY = 0.05
# At this many samples every second one is dropped, and from then on: both stages must fit one frame.
MAX_RUNS = 500000
IDLE_S = 0.5


class Limits(object):
    """When to stop: at least ``min_seconds`` and ``min_runs``, at most ``max_seconds``."""

    def __init__(self, protocol):
        self.warmup = float(protocol.get("warmup_s", 0.0))
        self.seconds = float(protocol.get("min_seconds", 0.0))
        self.runs = int(protocol.get("min_runs", 1))
        self.most = max(float(protocol.get("max_seconds", 600.0)), self.seconds)
        self.cooldown = float(protocol.get("cooldown_s", 0.0))

    def at_least(self, seconds):
        """These, measuring at least so long."""
        self.seconds = max(self.seconds, seconds)
        self.most = max(self.most, self.seconds)
        return self


def median(values):
    """The middle of a sequence of numbers."""
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2.0


def warm_up(call, limits, clock=time.perf_counter):
    """Call until two windows in a row have medians within 5 %.

    A window is half the warm-up, and three calls at least. At least ``warmup_s`` and at most three
    times that; without a warm-up one call.

    Returns:
        ``{"seconds", "runs", "steady"}``.
    """
    begin = now = clock()
    runs, last, steady = 0, None, False
    while True:
        window, end = array.array("d"), now + limits.warmup / 2
        while len(window) < 3 or now < end:
            start = now
            call()
            now = clock()
            window.append(now - start)
            runs += 1
            if not limits.warmup:
                return {"seconds": now - begin, "runs": runs, "steady": False}
        middle = median(window)
        steady = last is not None and abs(middle - last) <= _STEADY * last
        last = middle
        if now - begin >= limits.warmup and (steady or now - begin >= 3 * limits.warmup):
            return {"seconds": now - begin, "runs": runs, "steady": steady}


def measure(call, limits, pause, clock=time.perf_counter):
    """Time ``call`` again and again.

    Args:
        call: What is timed, without arguments.
        limits: When to stop.
        pause: ``pause(runs, seconds)``, called between two runs about five times a second.

    Returns:
        ``(samples, runs, stride)``: seconds of every ``stride``-th run as ``array('d')``, and how many ran.
    """
    samples = array.array("d")
    keep, enough, runs, stride = samples.append, limits.runs, 0, 1
    begin = clock()
    least, most, tick = begin + limits.seconds, begin + limits.most, begin + PROGRESS_S
    while True:
        start = clock()
        call()
        end = clock()
        runs += 1
        if runs % stride == 0:
            keep(end - start)
            if len(samples) == MAX_RUNS:
                del samples[::2]
                stride *= 2
        if end >= tick:
            pause(runs, end - begin)
            tick = clock() + PROGRESS_S
        if end >= least and (runs >= enough or end >= most):
            return samples, runs, stride


def fastest(call, seconds, least=5, clock=time.perf_counter):
    """The least ms of ``call``: what it takes when nothing disturbs it; the first call does not count."""
    call()
    best, runs, end = float("inf"), 0, clock() + seconds
    while runs < least or clock() < end:
        start = clock()
        call()
        best, runs = min(best, clock() - start), runs + 1
    return best * 1e3


def ms_bytes(samples):
    """The bytes of seconds as ms, little-endian float64."""
    scaled = array.array("d", (seconds * 1e3 for seconds in samples))
    if sys.byteorder == "big":
        scaled.byteswap()
    return scaled.tobytes()


class Pipeline(object):
    """Bytes in, label out: decode, fit, invoke, read the answer; sums of the parts in seconds.

    Args:
        session: A runtime's ``Session``.
        frames: ``Frames``.
        reader: The task's, see ``tasks``.
        clock: Seconds.

    Attributes:
        frame: How many there were; the number of the next.
        label: The last one's.
    """

    def __init__(self, session, frames, reader, clock=time.perf_counter):
        self._session, self._frames, self._reader, self._clock = session, frames, reader, clock
        self.frame = 0
        self.label: Any = None
        self.reset()

    def reset(self):
        """Forget the sums."""
        self._parts = {"decode": 0.0, "fit": 0.0, "invoke": 0.0, "post": 0.0}

    def parts_ms(self, runs):
        """The mean ms of each part that there is, over so many runs."""
        there = self._frames.parts + ("invoke", "post")
        return {name: total * 1e3 / runs for name, total in self._parts.items() if name in there}

    def __call__(self):
        """One picture, the next of the cycle."""
        clock, session, frames, parts = self._clock, self._session, self._frames, self._parts
        t0 = clock()
        picture = frames.decode(self.frame)
        t1 = clock()
        session.set_input(frames.fit(picture))
        t2 = clock()
        session.invoke()
        t3 = clock()
        self.label = self._reader.label(session.output())
        t4 = clock()
        self.frame += 1
        parts["decode"] += t1 - t0
        parts["fit"] += t2 - t1
        parts["invoke"] += t3 - t2
        parts["post"] += t4 - t3


class Watch(object):
    """Reads the sensors and tells the progress between two runs."""

    def __init__(self, stage, limits, tell, root="/"):
        self._stage, self._tell, self._root = stage, tell, root
        self._total, self._next = max(limits.seconds, 1e-9), 0.0
        self.during = []

    def __call__(self, runs, seconds):
        """``runs`` done after ``seconds``."""
        self._tell(self._stage, runs, seconds, self._total)
        if seconds >= self._next:
            reading = sensors.read(self._root)
            reading["stage"], reading["stage_s"] = self._stage, round(seconds, 3)
            self.during.append(reading)
            self._next = seconds + SENSORS_S


def run(session, frames, reader, protocol, tell):
    """The whole bench of a loaded model.

    Args:
        session: A runtime's ``Session``.
        frames: ``Frames``; the first is the input of the model stage.
        reader: The task's, see ``tasks``.
        protocol: ``warmup_s``, ``min_seconds``, ``min_runs``, ``max_seconds``, ``cooldown_s``, ``pipeline``,
            ``pipeline_s``.
        tell: ``tell(stage, runs, seconds, of_seconds)``.

    Returns:
        ``(facts, samples)``: a dict, and the seconds of each run, model first, as ``array('d')``.
    """
    limits = Limits(protocol)
    facts: Dict[str, Any] = {"sensors": {"before": sensors.read()}, "warmup": {}, "runs": {}, "stride": {}}
    facts["sensors"]["idle"] = _idle(facts["sensors"]["before"], float(protocol.get("idle_s", 0.0)))
    session.set_input(frames.pixels(0))
    during: List[Dict[str, Any]] = []
    gc.collect()
    gc.disable()
    busy, own = sensors.other_cpu_s(), memory.rss_mb()
    begin = time.perf_counter()
    try:
        samples = _stage("model", session.invoke, limits, tell, facts, during)
        if protocol.get("pipeline", True):
            pipeline = Pipeline(session, frames, reader)
            longer = Limits(protocol).at_least(float(protocol.get("pipeline_s", 0.0)))
            samples += _stage("pipeline", pipeline, longer, tell, facts, during)
            runs = pipeline.frame - facts["warmup"]["pipeline"]["runs"]
            facts["parts_ms"], facts["parts_absent"] = pipeline.parts_ms(runs), frames.absent
            facts["label"] = pipeline.label
    finally:
        gc.enable()
    facts["sensors"]["other_cpu"] = _rate(busy, sensors.other_cpu_s(), time.perf_counter() - begin)
    facts["sensors"]["during"] = during
    facts["sensors"]["after"] = sensors.read()
    facts["sensors"]["other_memory_mb"] = _taken(facts["sensors"], memory.growth(own, memory.peak_mb()))
    sensors.compare(facts["sensors"]["before"], facts["sensors"]["after"])
    return facts, samples


def _idle(before, seconds):
    """Readings of the waiting board, two a second, where it tells its power."""
    found: List[Dict[str, Any]] = []
    while "power_w" in before and len(found) * IDLE_S < seconds:
        time.sleep(IDLE_S)
        found.append(sensors.read())
    return found


def _rate(before, after, seconds):
    """Cores that other programs kept busy, mean; ``None`` where the system does not tell."""
    if before is None or after is None or not seconds:
        return None
    return round(max(after - before, 0.0) / seconds, 3)


def _taken(readings, own):
    """MB that other programs took: what the available memory fell by at most, less this process's growth.

    ``None`` where the system does not tell.
    """
    name = "memory_available_mb"
    before, left = (
        readings["before"],
        [row[name] for row in readings["during"] + [readings["after"]] if name in row],
    )
    if name not in before or not left or own is None:
        return None
    return round(max(before[name] - min(left) - own, 0.0), 1)


def _stage(name, call, limits, tell, facts, during):
    if limits.cooldown:
        time.sleep(limits.cooldown)
    facts["warmup"][name] = warm_up(call, limits)
    if isinstance(call, Pipeline):
        call.reset()
    watch, faults = Watch(name, limits, tell), memory.page_faults()
    samples, _, facts["stride"][name] = measure(call, limits, watch)
    if faults is not None:
        facts["sensors"]["page_faults"] = (
            facts["sensors"].get("page_faults", 0) + memory.page_faults() - faults
        )
    facts["runs"][name] = len(samples)
    during.extend(watch.during)
    return samples
