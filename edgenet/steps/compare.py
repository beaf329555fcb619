"""Two reports side by side: faster, slower, or cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ReportError
from edgenet.report import Report

__all__ = ["Comparison", "Row", "compare"]

RESAMPLES = 2000
# Below this the two are called equal even where the samples could tell them apart.
SAME = 0.01


@dataclass(frozen=True)
class Row:
    """One figure of both reports.

    Attributes:
        name: What, with its unit.
        a: In the first report, ``None`` where it is absent.
        b: In the second report.
        ratio: b / a, or ``None``.
    """

    name: str
    a: float | None
    b: float | None
    ratio: float | None


@dataclass(frozen=True)
class Comparison:
    """The result of :func:`compare`.

    Attributes:
        rows: Figures side by side.
        p50_ratio: b's median latency over a's.
        interval: 95 % bootstrap interval of that ratio.
        verdict: "b is faster", "b is slower" or "cannot tell".
        notes: Why the comparison may be unfair.
    """

    rows: tuple[Row, ...]
    p50_ratio: float
    interval: tuple[float, float]
    verdict: str
    notes: tuple[str, ...]

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def compare(a: Report | Path | str, b: Report | Path | str) -> Comparison:
    """Compare two reports of the same model.

    Raises:
        ReportError: A report cannot be read, or the two are of different models.
    """
    first = a if isinstance(a, Report) else Report.load(a)
    second = b if isinstance(b, Report) else Report.load(b)
    if first.bundle.get("model_digest") != second.bundle.get("model_digest"):
        raise ReportError(
            f"the reports are of different models ({first.bundle['model']}, {second.bundle['model']})",
            "compare reports of one model",
        )
    ratio, low, high = _ratio(_samples(first), _samples(second))
    verdict = "cannot tell"
    if high < 1 - SAME:
        verdict = "b is faster"
    elif low > 1 + SAME:
        verdict = "b is slower"
    return Comparison(_rows(first, second), ratio, (low, high), verdict, _notes(first, second))


def _samples(report: Report) -> NDArray[np.float64]:
    values = report.latency_ms.get("samples")
    if not isinstance(values, list) or not values or not all(isinstance(v, int | float) for v in values):
        raise ReportError("a report has no latency samples", "profile again")
    return np.asarray(values, np.float64)


def _ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, float]:
    """Ratio of medians b/a with its 95 % percentile-bootstrap interval (Efron 1979), seeded."""
    generator = np.random.Generator(np.random.PCG64(0))
    medians = [
        np.median(values[generator.integers(0, len(values), (RESAMPLES, min(len(values), 400)))], axis=1)
        for values in (a, b)
    ]
    low, high = np.percentile(medians[1] / medians[0], (2.5, 97.5))
    return float(np.median(b) / np.median(a)), float(low), float(high)


def _rows(a: Report, b: Report) -> tuple[Row, ...]:
    picks: dict[str, Callable[[Report], float | None]] = {
        "p50 (ms)": lambda r: r.latency_ms.get("p50"),
        "p99 (ms)": lambda r: r.latency_ms.get("p99"),
        "model FPS": lambda r: r.fps.get("model"),
        "pipeline FPS": lambda r: r.fps.get("pipeline"),
        "peak memory (MB)": lambda r: r.memory_mb.get("peak"),
        "artifact (MB)": lambda r: r.bundle.get("size_bytes", 0) / 1e6,
        "top-1 (%)": lambda r: _percent(r.drift.get("top1")),
        "agreement (%)": lambda r: _percent(r.drift.get("agreement")),
    }
    rows = []
    for name, pick in picks.items():
        x, y = pick(a), pick(b)
        rows.append(Row(name, x, y, y / x if x and y is not None else None))
    return tuple(rows)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _notes(a: Report, b: Report) -> tuple[str, ...]:
    notes = []
    for name, report in (("a", a), ("b", b)):
        if report.verdict.get("state") != "VALID":
            notes.append(f"{name} is {report.verdict.get('state')}")
    if a.device.get("facts", {}).get("board") != b.device.get("facts", {}).get("board"):
        notes.append("measured on different boards")
    if a.protocol.get("name") != b.protocol.get("name"):
        notes.append("measured by different protocols")
    if (a.drift.get("source"), a.drift.get("images")) != (b.drift.get("source"), b.drift.get("images")):
        notes.append("drift judged on different images")
    return tuple(notes)
