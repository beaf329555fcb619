"""Judge a measurement: may it be believed, and does it keep the limits that were asked for?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.devices.session import BenchResult
from edgenet.drift import Drift
from edgenet.measure.plausibility import impossible_pipeline
from edgenet.measured import Sensors
from edgenet.metric import FPS_MODEL, FPS_PIPELINE
from edgenet.report import AT_LEAST, AT_MOST, Limit, Verdict

__all__ = ["judge", "throttling"]

# The median of the second half of the samples may differ so much from the first half's.
DRIFT_OF_MEDIAN = 0.05
# The mean may exceed the median by so much; on a board that only runs the model it is a percent or two.
DISTURBED = 0.10
CLOCK_FELL = 0.05
# Cores that other programs may keep busy while it is measured.
OTHERS = 0.1
# Memory that other programs may take meanwhile: a share of what was available, and no more than so many MB.
TAKEN, TAKEN_MB = 0.1, 256.0
# Pages of the model's process that may have to be read from storage while it is measured.
FAULTS = 10
UNDERVOLT = ("under-voltage",)
THROTTLED = ("frequency capped", "throttled", "soft temperature limit")


def judge(
    bench: BenchResult,
    drift: Drift,
    min_fps: float | None,
    max_drift: float | None,
    emulated: bool = False,
) -> Verdict:
    """The report's ``verdict``.

    Args:
        bench: What was measured.
        drift: The report's drift.
        min_fps: Limit for FPS, or ``None``.
        max_drift: Limit for drift in percentage points, or ``None``.
        emulated: Whether the board is a simulation: its answers count, its speed does not.

    Returns:
        Its state, the reasons, the notes, and one limit for each that was asked for.
    """
    seen, doubt = throttling(bench.sensors), impossible_pipeline(bench)
    noise = _noise(bench) + ([doubt] if doubt else [])
    undervolt = [name for name in seen if name in UNDERVOLT]
    state = "UNDERVOLT" if undervolt else "THROTTLED" if seen else "NOISY" if noise else "VALID"
    reasons = [f"the board reported: {name}" for name in seen] + noise
    if emulated:
        state, reasons = "EMULATED", ["an emulated board: its speed says nothing about a real one"]
    limits = []
    if min_fps is not None:
        note = "an emulated board cannot settle this" if emulated else doubt
        limits.append(_fps_limit(bench, min_fps, note))
    if max_drift is not None:
        limits.append(_drift_limit(drift, max_drift))
    notes = tuple(_clocks(bench.sensors))
    return Verdict(state=state, reasons=tuple(reasons), notes=notes, limits=tuple(limits))


def _clocks(sensors: Sensors) -> list[str]:
    """What the clocks did that is no fault of the measurement but tells how to read it."""
    governor = sensors.before.governor if sensors.before else None
    notes = []
    if governor not in (None, "performance"):
        notes.append(f"the governor is {governor}: the clock follows the load")
    seen = [max(row.cpu_mhz) for row in sensors.during or () if row.cpu_mhz]
    if seen and max(seen) > 0 and min(seen) < (1 - CLOCK_FELL) * max(seen):
        notes.append(f"the fastest core ran between {min(seen)} and {max(seen)} MHz")
    return notes


def throttling(sensors: Sensors) -> list[str]:
    """Names of the throttling conditions that held at any reading, each once."""
    readings = [sensors.before, *(sensors.during or ()), sensors.after]
    names = [name for item in readings if item is not None for name in item.throttled_now or ()]
    return [name for name in dict.fromkeys(names) if name in UNDERVOLT + THROTTLED]


def _noise(bench: BenchResult) -> list[str]:
    reasons = []
    for stage, facts in bench.warmup.items():
        if facts.steady is False:
            reasons.append(f"{stage}: the warm-up did not become steady")
    shift = _shift(bench.model_ms)
    if abs(shift) > DRIFT_OF_MEDIAN:
        reasons.append(f"the median moved by {100 * shift:+.1f} % from the first to the second half")
    lost = float(bench.model_ms.mean() / np.median(bench.model_ms)) - 1.0
    others = bench.sensors.other_cpu
    if others is not None and others > OTHERS:
        reasons.append(f"other programs kept {others:.2f} of a core busy")
    if lost > DISTURBED:
        reasons.append(f"interruptions made the mean {100 * lost:.0f} % longer than the median")
    return reasons + _memory(bench.sensors)


def _memory(sensors: Sensors) -> list[str]:
    """What other programs did to the memory."""
    taken, faults, reasons = sensors.other_memory_mb, sensors.page_faults, []
    available = sensors.before.memory_available_mb if sensors.before else None
    if taken is not None and available is not None and taken > min(TAKEN * available, TAKEN_MB):
        reasons.append(f"other programs took {taken:.0f} of {available:.0f} MB of available memory")
    if faults is not None and faults > FAULTS:
        reasons.append(f"memory was short: {faults} times the model's process waited for a page from storage")
    return reasons


def _shift(samples: NDArray[np.float64]) -> float:
    half = len(samples) // 2
    if half < 10:
        return 0.0
    return float(np.median(samples[half:]) / np.median(samples[:half]) - 1.0)


def _fps_limit(bench: BenchResult, limit: float, unsettled: str | None) -> Limit:
    pipeline = len(bench.pipeline_ms) > 0
    value = 1e3 / float((bench.pipeline_ms if pipeline else bench.model_ms).mean())
    name = FPS_PIPELINE.name if pipeline else FPS_MODEL.name
    if unsettled is not None:
        return Limit(name=name, kind=AT_LEAST, limit=limit, value=None, passed=False, note=unsettled)
    return Limit(name=name, kind=AT_LEAST, limit=limit, value=value, passed=value >= limit)


def _drift_limit(drift: Drift, limit: float) -> Limit:
    lost, note = drift.lost(), drift.nothing
    if note is None and lost.interval is not None and lost.interval[0] <= limit < lost.interval[1]:
        note = (
            f"{drift.images} images cannot settle this: the loss lies between "
            f"{lost.interval[0]:.2f} and {lost.interval[1]:.2f} pp"
        )
    return Limit(
        name=lost.name,
        kind=AT_MOST,
        limit=limit,
        value=lost.pp,
        passed=lost.pp <= limit,
        images=drift.images,
        note=note,
    )
