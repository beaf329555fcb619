"""Two threads: edgenet prepares the next frame while the network runs, others give both to each step."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from pipelines.ways import ByHand, Own

from edgenet.agent import tasks

PLACES = 2


class Overlapped:
    """The agent's stages in two threads, as its demo has them: decode and fit, network and label."""

    def __init__(self, session: Any, own: Own) -> None:
        self._session, self._frames = session, own.frames
        self._reader = tasks.reader({"output": {}, "labels": []})
        self._places = [np.array(own.frames.pixels(0)) for _ in range(PLACES)]

    def ms(self, seconds: float) -> float:
        """Wall ms a frame."""
        free, ready, over = threading.Semaphore(PLACES), threading.Semaphore(0), threading.Event()

        def prepare() -> None:
            index = 0
            while True:
                free.acquire()
                if over.is_set():
                    return
                np.copyto(self._places[index % PLACES], self._frames.pixels(index))
                index += 1
                ready.release()

        thread = threading.Thread(target=prepare)
        thread.start()
        begin, count = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            ready.acquire()
            self._session.set_input(self._places[count % PLACES])
            free.release()
            self._session.invoke()
            self._reader.label(self._session.output())
            count += 1
        took = time.perf_counter() - begin
        over.set()
        free.release(PLACES)
        thread.join()
        return 1e3 * took / count


def one_by_one(way: ByHand, seconds: float) -> float:
    """Wall ms a frame of a loop."""
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        way.lap(count)
        count += 1
    return 1e3 * (time.perf_counter() - begin) / count


def side_by_side(
    ours: Overlapped, others: dict[str, ByHand], slices: int, seconds: float
) -> dict[str, float]:
    """Wall ms a frame of each, the least of slices that take turns; ours is called "edgenet"."""
    found: dict[str, list[float]] = {name: [] for name in ("edgenet", *others)}
    for _ in range(slices):
        found["edgenet"].append(ours.ms(seconds))
        for name, way in others.items():
            found[name].append(one_by_one(way, seconds))
    return {name: min(values) for name, values in found.items()}
