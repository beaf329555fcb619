"""What only some protocols measure: every number of threads, fresh starts, the level of a long run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.breakdown import ColdStart, Start, Sustained, ThreadSweep, ThreadTry
from edgenet.devices.session import BenchResult, Session
from edgenet.progress import Progress
from edgenet.protocol import Protocol
from edgenet.statistics import median_interval

__all__ = ["cold_start", "settled", "sweep"]

# One try of a number of threads: enough to rank them.
TRY = {"warmup_s": 0.5, "min_seconds": 1.0, "min_runs": 20, "max_seconds": 20.0, "pipeline": False}
# A long run has settled when no later minute differs from its last by more.
SETTLED, SLICE_S = 0.03, 15.0

# Opens the model in a fresh process with so many threads, on these cores (None: on all).
Opener = Callable[[int, Sequence[int] | None], Session]


def sweep(
    open_: Opener, facts: Mapping[str, Any], images: Sequence[bytes], progress: Progress
) -> ThreadSweep:
    """Try 1, 2, 4 … and every core (each number up to 8 cores, and each number at which a kind of core ends).

    Where cores differ, so many threads run on as many cores, the strongest first, and on no other: else
    the system could move them while they are measured.

    Args:
        open_: Opens the model.
        facts: The board's.
        images: Encoded.
        progress: Told of every try.

    Returns:
        Each try, where ``cores`` are numbers and ``on`` says what they are, both ``None`` where all are
        alike; ``best``: the fewest threads within 2 % of the lowest median.
    """
    cores = int(facts["cores"])
    kinds = _kinds(facts, cores)
    ends = np.cumsum([len(kind["cores"]) for kind in kinds]).tolist()
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
        progress("threads", done + 1, len(counts))
    fastest = min(row.p50 for row in tried)
    best = next(row.threads for row in tried if row.p50 <= 1.02 * fastest)
    return ThreadSweep(tried=tuple(tried), best=best)


def _kinds(facts: Mapping[str, Any], cores: int) -> Sequence[Mapping[str, Any]]:
    """The board's kinds of core, the strongest first; none where all are alike or not all may be used."""
    kinds: Sequence[Mapping[str, Any]] = facts.get("clusters") or ()
    return kinds if len(kinds) > 1 and sum(len(kind["cores"]) for kind in kinds) == cores else ()


def _strongest(count: int, kinds: Sequence[Mapping[str, Any]]) -> tuple[list[int] | None, str | None]:
    """The numbers of the ``count`` strongest cores, and what they are: "2 × Cortex-A76, 1 × Cortex-A55"."""
    if not kinds:
        return None, None
    chosen: list[int] = []
    names: dict[str, int] = {}
    for kind in kinds:
        some = kind["cores"][: count - len(chosen)]
        chosen += some
        if some:
            names[str(kind["cpu"])] = names.get(str(kind["cpu"]), 0) + len(some)
    return chosen, ", ".join(f"{number} × {name}" for name, number in names.items())


PARTS = ("start_ms", "import_ms", "load_ms", "first_run_ms")


def cold_start(open_: Opener, threads: int, count: int, progress: Progress) -> ColdStart:
    """Start the model's process anew, ``count`` times: from nothing to the first answer.

    The first start is told apart: the later ones find the files in the system's memory. (What a start from a
    cold disk takes needs a reboot or root.)

    Returns:
        Each start with its parts, the total of the first, median and maximum of those after it.
    """
    runs = []
    for done in range(count):
        session = open_(threads, None)
        parts = {name: float(getattr(session.loaded, name)) for name in PARTS}
        runs.append(Start(total_ms=sum(parts.values()), **parts))
        session.close()
        progress("cold start", done + 1, count)
    totals = [row.total_ms for row in runs]
    rest = totals[1:] or totals
    return ColdStart(runs=tuple(runs), first_ms=totals[0], p50_ms=float(np.median(rest)), max_ms=max(rest))


def settled(bench: BenchResult, rules: Protocol) -> Sustained | None:
    """How a long run's FPS went and where it settled; ``None`` for a run of less than four slices of 15 s.

    Returns:
        ``curve`` of (seconds, FPS), ``first_fps``, ``settled_fps`` (median of the last quarter), ``ratio`` of
        both, ``settled_after_s``: from when on every slice is within 3 % of it, or ``None``.
    """
    curve = _curve(bench.model_ms, bench.stride.get("model", 1))
    if len(curve) < 4 or rules.min_seconds < 4 * SLICE_S:
        return None
    level = float(np.median([fps for _, fps in curve[-(len(curve) // 4) :]]))
    off = [at for at, fps in curve if abs(fps / level - 1) > SETTLED]
    after = 0.0 if not off else next((at for at, _ in curve if at > off[-1]), None)
    return Sustained(
        curve=tuple((round(at, 1), round(fps, 3)) for at, fps in curve),
        first_fps=curve[0][1],
        settled_fps=level,
        ratio=level / curve[0][1],
        settled_after_s=after,
    )


def _curve(samples_ms: NDArray[np.float64], stride: int) -> list[tuple[float, float]]:
    """(seconds at the end, FPS) of each slice of 15 s."""
    seconds = np.cumsum(samples_ms) * stride / 1e3
    marks = np.arange(SLICE_S, float(seconds[-1]) + 1e-9, SLICE_S)
    edges = np.searchsorted(seconds, marks)
    parts = [part for part in np.split(np.arange(len(seconds)), edges)[:-1] if len(part)]
    return [(float(seconds[part[-1]]), 1e3 / float(samples_ms[part].mean())) for part in parts]
