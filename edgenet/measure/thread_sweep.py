"""Every number of threads that a board can run, each tried shortly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edgenet.breakdown import ThreadSweep, ThreadTry
from edgenet.devices.session import Session
from edgenet.facts import CoreCluster, Facts
from edgenet.progress import Progress
from edgenet.statistics import median_interval

__all__ = ["Opener", "sweep"]

# One try of a number of threads: enough to rank them.
TRY = {"warmup_s": 0.5, "min_seconds": 1.0, "min_runs": 20, "max_seconds": 20.0, "pipeline": False}

# Opens the model in a fresh process with so many threads, on these cores (None: on all).
Opener = Callable[[int, Sequence[int] | None], Session]


def sweep(open_: Opener, facts: Facts, images: Sequence[bytes], progress: Progress) -> ThreadSweep:
    """Try 1, 2, 4 … and every core (each number up to 8 cores, and each number at which a kind of core ends).

    Where cores differ, so many threads run on as many cores, the strongest first, and on no other: else
    the system could move them while they are measured.

    Args:
        open_: Opens the model.
        facts: The board's.
        images: Encoded.
        progress: Called for every try.

    Returns:
        Each try, where ``cores`` are numbers and ``on`` says what they are, both ``None`` where all are
        alike; ``best``: the fewest threads within 2 % of the lowest median.
    """
    cores = facts.cores
    kinds = _kinds(facts)
    ends = np.cumsum([len(kind.cores) for kind in kinds]).tolist()
    counts = {*(range(1, cores + 1) if cores <= 8 else ()), 1, 2, 4, 8, cores // 2 or 1, cores, *ends}
    counts = {count for count in counts if count <= cores}
    tried = []
    for done, count in enumerate(sorted(counts)):
        chosen, on = _strongest(count, kinds)
        session = open_(count, chosen)
        samples = session.bench(TRY, images).model_ms
        session.close()
        middle, spread = float(np.median(samples)), median_interval(samples)
        cores_used = tuple(chosen) if chosen is not None else None
        fps = 1e3 / float(samples.mean())
        tried.append(
            ThreadTry(threads=count, on=on, cores=cores_used, p50=middle, p50_interval=spread, fps=fps)
        )
        progress("trying numbers of threads (tries)", done + 1, len(counts))
    fastest = min(row.p50 for row in tried)
    best = next(row.threads for row in tried if row.p50 <= 1.02 * fastest)
    return ThreadSweep(tried=tuple(tried), best=best)


def _kinds(facts: Facts) -> Sequence[CoreCluster]:
    """The board's kinds of core, the strongest first; none where all are alike or not all may be used."""
    kinds = facts.clusters
    return kinds if len(kinds) > 1 and sum(len(kind.cores) for kind in kinds) == facts.cores else ()


def _strongest(count: int, kinds: Sequence[CoreCluster]) -> tuple[list[int] | None, str | None]:
    """The numbers of the ``count`` strongest cores, and what they are: "2 × Cortex-A76, 1 × Cortex-A55"."""
    if not kinds:
        return None, None
    chosen: list[int] = []
    names: dict[str, int] = {}
    for kind in kinds:
        some = kind.cores[: count - len(chosen)]
        chosen += some
        if some:
            names[str(kind.cpu)] = names.get(str(kind.cpu), 0) + len(some)
    return chosen, ", ".join(f"{number} × {name}" for name, number in names.items())
