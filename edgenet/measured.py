"""What one measurement found about speed, memory, power and sensors: parts of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from edgenet.json_value import Count, NotNegative, Positive, Where, Within
from edgenet.record import Record
from edgenet.statistics import median_interval

__all__ = [
    "Energy",
    "Fps",
    "Latency",
    "Memory",
    "Reading",
    "Sensors",
    "StageEnergy",
    "latency",
]

Milliseconds = Annotated[float, Within(above=0.0, most=1e9)]
Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Latency(Record):
    """How long one run takes, in ms.

    Attributes:
        min, p50, p90, p99: Of the samples, linear interpolation.
        p50_interval: 95 % of p50, of this run; ``None`` below 25 samples.
        mean, stdev: Of the samples.
        stride: Every how many runs one sample was kept.
        samples: In the order they were taken; at least one.
    """

    min: Milliseconds
    p50: Milliseconds
    p50_interval: Interval | None
    p90: Milliseconds
    p99: Milliseconds
    mean: Milliseconds
    stdev: NotNegative
    stride: Annotated[int, Within(least=1)] = 1
    samples: tuple[Milliseconds, ...] = field(repr=False)

    def check(self, where: Where) -> None:
        """There is at least one sample."""
        if not self.samples:
            raise where.at("samples").refuse([], "at least one sample")

    def array(self) -> NDArray[np.float64]:
        """The samples, float64 [n], ms."""
        return np.asarray(self.samples, np.float64)


def latency(samples_ms: NDArray[np.float64], stride: int = 1) -> Latency:
    """Summary of samples in ms.

    Args:
        samples_ms: float64 [n], in the order they were taken.
        stride: Every how many runs one sample was kept.
    """
    spread = median_interval(samples_ms)
    p50, p90, p99 = (float(value) for value in np.percentile(samples_ms, (50, 90, 99)))
    return Latency(
        min=float(samples_ms.min()),
        p50=p50,
        p50_interval=spread,
        p90=p90,
        p99=p99,
        mean=float(samples_ms.mean()),
        stdev=float(samples_ms.std(ddof=1)) if len(samples_ms) > 1 else 0.0,
        stride=stride,
        samples=tuple(round(float(value), 6) for value in samples_ms),
    )


@dataclass(frozen=True, kw_only=True)
class Fps(Record):
    """Frames a second sustained: ``model``, invocation only; ``pipeline``, image bytes in, label out."""

    model: Positive
    pipeline: Positive | None

    @property
    def best_known(self) -> float:
        """Of the pipeline, of the model where the pipeline was left out: what a limit is held to."""
        return self.model if self.pipeline is None else self.pipeline


@dataclass(frozen=True, kw_only=True)
class Memory(Record):
    """Resident memory of the model's process, MB of 1e6 bytes; ``None`` where not readable.

    Attributes:
        import_, load, first_run: Growth by importing the runtime, loading the model, its first run.
        peak: The most.
        arena: What the runtime holds for activations.
        gpu: Scratch memory of one run (TensorRT).
        of_512_mb: The peak as a share of a board with 512 MB.
        arena_absent: Why there is no arena.
    """

    import_: float | None = None
    load: float | None = None
    first_run: float | None = None
    peak: NotNegative | None = None
    arena: NotNegative | None = None
    gpu: NotNegative | None = None
    of_512_mb: NotNegative | None = None
    arena_absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class StageEnergy(Record):
    """Mean power in W and joules a frame, above the waiting board's and with it, from so many readings."""

    power_w: float
    joules_per_frame: float
    total_joules_per_frame: float
    readings: Count


@dataclass(frozen=True, kw_only=True)
class Energy(Record):
    """Joules a frame; or only ``absent``, the reason.

    Attributes:
        source: The sensor.
        idle_w: Of the waiting board, W.
        rate_hz: How often it was read, a second.
        model, pipeline: Of the stages that were measured.
        joules_per_frame: Of the pipeline, else of the model.
        summary: In words.
        absent: Why there are none.
    """

    source: str | None = None
    idle_w: float | None = None
    rate_hz: NotNegative | None = None
    model: StageEnergy | None = None
    pipeline: StageEnergy | None = None
    joules_per_frame: float | None = None
    summary: str | None = None
    absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reading(Record):
    """One reading of a board's sensors; what it could not read is ``None``, with the reason in ``absent``.

    Attributes:
        time_s: Of the board's monotonic clock.
        temperature_c: The hottest zone.
        governor: Of the clocks; several names where the cores differ.
        cpu_mhz: Of each core.
        throttled, throttled_now: A Raspberry Pi's bits, and the names of those that hold.
        throttle_events: A Jetson's count since boot.
        power_w, power_source, rails_w: Power, whose, and of each rail.
        load_1m: Load average.
        memory_available_mb: MB of 1e6 bytes.
        stage, stage_s: During a run: of what, and its second.
        absent: Name → reason.
    """

    time_s: float | None = None
    temperature_c: float | None = None
    governor: str | None = None
    cpu_mhz: tuple[float, ...] | None = None
    throttled: int | None = None
    power_w: float | None = None
    load_1m: float | None = None
    memory_available_mb: float | None = None
    throttled_now: tuple[str, ...] | None = None
    power_source: str | None = None
    rails_w: Mapping[str, float] | None = None
    throttle_events: Count | None = None
    absent: Mapping[str, str] | None = None
    stage: str | None = None
    stage_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Sensors(Record):
    """Readings before, while it waited, during and after; and what other programs did meanwhile.

    Attributes:
        before, after: One reading each.
        idle, during: About one a second.
        other_cpu: Cores that other programs kept busy, mean.
        other_memory_mb: What they took of the available memory at most.
        page_faults: How often the model's process waited for a page from storage.
    """

    before: Reading | None = None
    idle: tuple[Reading, ...] | None = None
    page_faults: int | None = None
    other_cpu: float | None = None
    during: tuple[Reading, ...] | None = None
    after: Reading | None = None
    other_memory_mb: float | None = None

    def run(self) -> list[Reading]:
        """Before, during and after: the readings that have a time."""
        every = (self.before, *(self.during or ()), self.after)
        return [item for item in every if item is not None and item.time_s is not None]
