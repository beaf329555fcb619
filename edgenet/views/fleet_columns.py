"""The figures of a fleet's matrix: of the one table of metrics, with the least difference that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.metric import TEMPERATURE, Metric, metrics
from edgenet.report import Report

__all__ = ["AGREEMENT", "DRIFT", "Column", "columns"]

DRIFT = "drift_pp"
AGREEMENT = "agreement_percent"


@dataclass(frozen=True)
class Column:
    """One figure.

    Attributes:
        metric: It.
        least: What is nearer to its kind's median is no outlier: a share of the median, or where ``share`` is
            false in the figure's own unit.
        share: Of the median.
    """

    metric: Metric
    least: float
    share: bool = True

    def floor(self, middle: float) -> float:
        """The least difference in the figure's unit."""
        return self.least * abs(middle) if self.share else self.least

    @property
    def words(self) -> str:
        """What and how much: "p99 20 %"."""
        unit = self.metric.unit if self.metric.unit != "%" else "pp"
        size = f"{100 * self.least:g} %" if self.share else f"{self.least:g} {unit}"
        return f"{self.metric.name} {size}"


# Key → the least difference that says anything, and whether it is a share of the median.
LEAST = {
    "fps_pipeline": (0.05, True),
    "fps_model": (0.05, True),
    "p99_ms": (0.20, True),
    "peak_mb": (0.10, True),
    DRIFT: (0.2, False),
    AGREEMENT: (0.5, False),
    TEMPERATURE.key: (8.0, False),
}


def columns(reports: Sequence[Report]) -> list[Column]:
    """Those that some report has; agreement where one has no labels to tell its drift by."""
    known = {item.key: item for item in (*metrics(*reports), TEMPERATURE)}
    found = {
        key: Column(known[key], *least)
        for key, least in LEAST.items()
        if key in known and any(known[key].of(report) is not None for report in reports)
    }
    if DRIFT in found and all(report.drift.delta_pp is not None for report in reports):
        found.pop(AGREEMENT, None)
    return list(found.values())
