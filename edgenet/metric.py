"""The metrics of a report: the one table of what is compared, shown, gated and written to a CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from edgenet.figures import number, percent, size
from edgenet.report import Report
from edgenet.tasks import task_module

__all__ = ["AGREEMENT", "FPS_MODEL", "FPS_PIPELINE", "TEMPERATURE", "Metric", "metric", "metrics", "quality"]


@dataclass(frozen=True)
class Metric:
    """One figure of a report.

    Attributes:
        key: Short name, as in a CSV.
        name: For people, without the unit.
        unit: "ms", "MB", "%", "pp"; empty where the name says it.
        digits: Decimals.
        better: "higher", "lower", or ``None`` where neither is.
        read: Reads it from a report; ``None`` where it was not measured.
        timed: Whether it tells how fast the board is, so that an emulated board says nothing about it.
        label: The head of its column with its unit, where that is not "name unit".
        column: The head of its column in the terminal; empty leaves it out there.
        tell: How its value is written in the terminal, where that is not the bare number.
        compared: Whether ``edgenet compare`` shows it.
        axis: What an axis calls it that shows quality against speed; empty where it is no measure of quality.
    """

    key: str
    name: str
    unit: str
    digits: int
    better: Literal["higher", "lower"] | None
    read: Callable[[Report], float | None]
    timed: bool = False
    label: str = ""
    column: str = ""
    tell: Callable[[float], str] | None = None
    compared: bool = True
    axis: str = ""

    def of(self, report: Report) -> float | None:
        """Its value; ``None`` where it is absent or where an emulated board says nothing about it."""
        return None if self.timed and report.emulated else self.read(report)

    def text(self, report: Report) -> str:
        """Its value as a number of its decimals, or a dash."""
        return number(self.of(report), self.digits)

    def cell(self, report: Report) -> str:
        """Its value as the terminal shows it, or a dash."""
        value = self.of(report)
        return self.text(report) if value is None or self.tell is None else self.tell(value)

    @property
    def head(self) -> str:
        """The head of its column, with the unit."""
        return self.label or f"{self.name} {self.unit}".rstrip()

    @property
    def title(self) -> str:
        """Its name with the unit in brackets: "p50 (ms)"."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def best(self, values: Sequence[float]) -> float | None:
        """The best of its values; ``None`` where neither way is better or all are shown alike."""
        if self.better is None or len({round(value, self.digits) for value in values}) < 2:
            return None
        return max(values) if self.better == "higher" else min(values)


def _joules(report: Report) -> float | None:
    return report.energy.joules_per_frame if report.energy else None


def _hottest(report: Report) -> float | None:
    told = [item.temperature_c for item in report.sensors.run() if item.temperature_c is not None]
    return max(told, default=None)


FPS_MODEL = Metric(
    "fps_model", "model FPS", "", 1, "higher", lambda r: r.fps.model, True, "FPS model", "FPS model"
)
FPS_PIPELINE = Metric(
    "fps_pipeline", "pipeline FPS", "", 1, "higher", lambda r: r.fps.pipeline, True, "FPS pipeline",
    "FPS pipeline",
)  # fmt: skip
# What every task has, but for AGREEMENT, which stands behind the task's own.
COMMON = (
    Metric("size_mb", "artifact", "MB", 2, "lower", lambda r: r.bundle.size_bytes / 1e6,
           column="size", tell=lambda mb: size(mb * 1e6)),
    Metric("p50_ms", "p50", "ms", 3, "lower", lambda r: r.latency_ms.p50, True, column="p50 ms"),
    Metric("p99_ms", "p99", "ms", 3, "lower", lambda r: r.latency_ms.p99, True, column="p99 ms"),
    FPS_MODEL,
    FPS_PIPELINE,
    Metric("peak_mb", "peak memory", "MB", 1, "lower", lambda r: r.memory_mb.peak,
           label="peak MB", column="peak MB"),
    Metric("joules_per_frame", "energy", "J/frame", 4, "lower", _joules, True, "J/frame", compared=False),
)  # fmt: skip
AGREEMENT = Metric(
    "agreement_percent", "agreement", "%", 1, "higher", lambda r: percent(r.drift.agreement), label="agree %",
    column="agree", tell=lambda value: f"{value:.1f} %", axis="same answers as float, %",
)  # fmt: skip

# What is shown of many boards beside each other; of one board it is a curve.
TEMPERATURE = Metric("temperature_c", "hottest", "°C", 1, "lower", _hottest)


def metrics(*reports: Report) -> tuple[Metric, ...]:
    """The metrics of these reports: those of every task, then of theirs, in the order they are shown."""
    own = (item for report in reports for item in task_module(report.drift.task).METRICS)
    return (*COMMON, *dict.fromkeys(own))


def metric(key: str, *reports: Report) -> Metric:
    """The metric of a key.

    Raises:
        KeyError: These reports have no such metric.
    """
    return {item.key: item for item in metrics(*reports)}[key]


def quality(*reports: Report) -> Metric | None:
    """The first measure of quality that every one of these reports has."""
    able = (item for item in metrics(*reports) if item.axis)
    return next((item for item in able if all(item.of(report) is not None for report in reports)), None)
