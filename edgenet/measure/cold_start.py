"""What it takes from nothing to the first answer."""

from __future__ import annotations

import numpy as np

from edgenet.breakdown import ColdStart, Start
from edgenet.measure.thread_sweep import Opener
from edgenet.progress import Progress

__all__ = ["cold_start"]

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
        progress("measuring cold starts (starts)", done + 1, count)
    totals = [row.total_ms for row in runs]
    rest = totals[1:] or totals
    return ColdStart(runs=tuple(runs), first_ms=totals[0], p50_ms=float(np.median(rest)), max_ms=max(rest))
