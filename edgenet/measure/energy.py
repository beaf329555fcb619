"""Joules a frame from a board's own power sensor, or why there are none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from edgenet.devices.session import BenchResult
from edgenet.measured import Energy, Reading, StageEnergy

__all__ = ["energy"]

# Fewer readings of a stage than this say nothing about its mean.
LEAST = 3


def energy(bench: BenchResult) -> Energy:
    """The report's ``energy``.

    A stage's mean power less the waiting board's, times the mean time of a frame. The sensors are read about
    once a second between two frames, by the same process; what happens between two readings is not seen.

    Returns:
        Joules of each stage that was read often enough, and of the pipeline, else of the model; or only
        ``absent``, the reason.
    """
    before, during = bench.sensors.before or Reading(), bench.sensors.during or ()
    if before.power_w is None:
        return Energy(absent=(before.absent or {}).get("power_w", "no power sensor"))
    idle = _watts(bench.sensors.idle or ())
    if len(idle) < LEAST:
        return Energy(absent="the waiting board's power was not read: the protocol's idle_s is too short")
    idle_w = sum(idle) / len(idle)
    stages = {}
    for name, samples in (("model", bench.model_ms), ("pipeline", bench.pipeline_ms)):
        rows = [row for row in during if row.stage == name]
        watts = _watts(rows)
        if len(watts) >= LEAST and len(samples):
            seconds, power = float(samples.mean()) / 1e3, sum(watts) / len(watts)
            stages[name] = StageEnergy(
                power_w=power,
                joules_per_frame=(power - idle_w) * seconds,
                total_joules_per_frame=power * seconds,
                readings=len(watts),
            )
    if not stages:
        return Energy(absent=f"fewer than {LEAST} readings of the power while it ran: measure longer")
    rate = _rate(during)
    joules = (stages.get("pipeline") or stages["model"]).joules_per_frame
    source = str(before.power_source)
    return Energy(
        source=source,
        idle_w=idle_w,
        rate_hz=rate,
        model=stages.get("model"),
        pipeline=stages.get("pipeline"),
        joules_per_frame=joules,
        summary=f"{1e3 * joules:.3g} mJ a frame above the waiting board's {idle_w:.2f} W, "
        f"from {source}, read {rate:.1f} times a second.",
    )


def _watts(readings: Sequence[Reading]) -> list[float]:
    return [row.power_w for row in readings if row.power_w is not None]


def _rate(readings: Sequence[Reading]) -> float:
    """Readings a second within one stage."""
    pairs = [
        b.stage_s - a.stage_s
        for a, b in itertools.pairwise(readings)
        if a.stage == b.stage and a.stage_s is not None and b.stage_s is not None
    ]
    return len(pairs) / sum(pairs) if pairs and sum(pairs) > 0 else 0.0
