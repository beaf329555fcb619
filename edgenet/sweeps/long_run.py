"""A finalist's long run on its board: the figures that the answer is given on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from edgenet.bundle import Bundle
from edgenet.errors import EdgenetError
from edgenet.frame import Frame
from edgenet.protocol import Protocol
from edgenet.report import Report
from edgenet.statistics import mean_half_width
from edgenet.steps.profile import profile
from edgenet.sweeps.images import Images
from edgenet.sweeps.search import Estimated

__all__ = ["LongJob", "run_long", "sustained"]

# Batches of a run: their means are nearly independent, where those of single frames are not.
BATCHES = 20


@dataclass(frozen=True)
class LongJob:
    """A cell to be run long: its bundle's file as bytes, where, and how."""

    bundle: bytes = field(repr=False)
    device: str
    threads: int
    rules: Protocol
    frame: Frame
    val: Images | None


def run_long(job: LongJob) -> Report:
    """Measure a cell as ``edgenet profile`` does, without deploying it; once more where others disturbed it.

    Returns:
        The better of both runs, which are never mixed: one that was not disturbed, else the steadier.

    Raises:
        EdgenetError: As :func:`edgenet.steps.profile.profile`.
    """
    first = _once(job)
    if first.verdict.state != "NOISY":
        return first
    try:
        return min(_once(job), first, key=_doubts)
    except EdgenetError:  # the first is whole
        return first


def _doubts(report: Report) -> tuple[bool, bool, float]:
    """Less for a run that is believed rather than another."""
    found = sustained(report)
    if found is None:
        return True, True, math.inf
    return False, report.verdict.state == "NOISY", (found.interval[1] - found.interval[0]) / found.fps


def _once(job: LongJob) -> Report:
    rules = replace(job.rules, threads=job.threads)
    bundle = Bundle.parse(job.bundle)
    val = job.val.here() if job.val else None
    return profile(bundle, job.device, rules, val, frame=job.frame, deployed=False)


def sustained(report: Report) -> Estimated | None:
    """The FPS of the pipeline in a long run, where it settled, and its 95 % interval.

    Of the last half of the run, by the means of consecutive batches (Alexopoulos and Seila, Handbook of
    Simulation, 1998, section 7.3).

    Returns:
        ``None`` where the pipeline was not measured, or on an emulated board.
    """
    if report.pipeline_ms is None or report.emulated:
        return None
    samples = report.pipeline_ms.array()
    settled = samples[len(samples) // 2 :]
    batches = np.array_split(settled, min(BATCHES, len(settled)))
    means = np.asarray([float(part.mean()) for part in batches])
    middle = float(settled.mean())
    if len(means) < 2:
        return Estimated(1e3 / middle, (0.0, math.inf))
    half = mean_half_width(means)
    return Estimated(1e3 / middle, (1e3 / (middle + half), 1e3 / max(middle - half, 1e-9)))
