"""Several reports side by side: a table, the fastest against the most accurate, and ratios to the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.figures import number
from edgenet.metric import metric, metrics, quality
from edgenet.report import Report
from edgenet.views.charts import Charts, Point, wide
from edgenet.views.parts import Chart
from edgenet.views.pipeline import WANTED_FPS

__all__ = ["Overview", "names", "notes", "overview", "table"]


@dataclass(frozen=True)
class Overview:
    """The head of a page of several reports.

    Attributes:
        title: What is compared.
        columns: Of the table.
        rows: Cells (text, whether it is the best of its column), one row a report.
        charts: The Pareto plot first.
        notes: Why the comparison may be unfair.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[tuple[str, bool]]]
    charts: Sequence[Chart]
    notes: Sequence[str]


def overview(reports: Sequence[Report], charts: Charts) -> Overview:
    """Compare at least two reports."""
    models = list(dict.fromkeys(report.bundle.model for report in reports))
    columns, rows = table(reports)
    drawn = [*_pareto(reports, charts), *_latency(reports, charts)]
    return Overview(", ".join(models), columns, rows, drawn, notes(reports))


def table(reports: Sequence[Report]) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Columns, and a row a report; the best of a column is marked, times only where every run is valid.

    An emulated board has no times, so it is no bar to marking those of the others.
    """
    every = metrics(*reports)
    kept = [item for item in every if any(item.of(report) is not None for report in reports)]
    best, valid = {}, all(report.verdict.state == "VALID" for report in reports if not report.emulated)
    for item in kept:
        if valid or not item.timed:
            best[item.key] = item.best(
                [found for report in reports if (found := item.of(report)) is not None]
            )
    rows = []
    for report, name in zip(reports, names(reports), strict=True):
        cells = [(name, False)]
        for item in kept:
            found = item.of(report)
            cells.append((number(found, item.digits), found is not None and found == best.get(item.key)))
        rows.append([*cells, (report.verdict.state, False)])
    return ["build", *(item.head for item in kept), "verdict"], rows


def names(reports: Sequence[Report]) -> list[str]:
    """What tells the reports apart: the build, and where they differ model, board, protocol and frame."""
    parts = [
        [report.bundle.model for report in reports],
        [report.build for report in reports],
        [report.device.board or report.device.name for report in reports],
        [report.protocol.name for report in reports],
        [report.frame or "" for report in reports],
    ]
    telling = [part for index, part in enumerate(parts) if index == 1 or len(set(part)) > 1]
    joined = [" · ".join(filter(None, words)) for words in zip(*telling, strict=True)]
    return [f"{name} #{i + 1}" if joined.count(name) > 1 else name for i, name in enumerate(joined)]


def _pareto(reports: Sequence[Report], charts: Charts) -> list[Chart]:
    faithful = quality(*reports)
    points: dict[str, list[Point]] = defaultdict(list)
    shown = [report for report in reports if not report.emulated]
    for report, name in zip(shown, names(shown), strict=True):
        height = faithful.of(report) if faithful else None
        if height is not None:
            backend = report.bundle.backend
            points[backend].append((report.fps.best_known, height, name.replace(f"{backend} ", "")))
    if faithful is None or not points:
        return []
    what = faithful.axis
    says = "; ".join(
        f"{backend} {label}: {x:.1f} FPS, {y:.1f} {what}"
        for backend, group in points.items()
        for x, y, label in group
    )
    caption = f"Speed against accuracy: up and to the right is better; the line is {WANTED_FPS:g} FPS"
    return [Chart(caption, charts.pareto(points, WANTED_FPS, what, says), wide=True)]


def _latency(reports: Sequence[Report], charts: Charts) -> list[Chart]:
    found = []
    for key, caption in (("p50_ms", "Median of one invocation, ms"), ("peak_mb", "Peak memory, MB")):
        drawn = metric(key, *reports)
        shown = [report for report in reports if drawn.of(report) is not None]
        known = [(name, drawn.of(report)) for name, report in zip(names(shown), shown, strict=True)]
        if known:
            bars = charts.bars(
                [name for name, _ in known], [measured for _, measured in known], drawn.unit, caption
            )
            found.append(Chart(caption, bars, wide([name for name, _ in known])))
    return found


def notes(reports: Sequence[Report]) -> list[str]:
    """Why the comparison may be unfair."""
    found = []
    for name, report in zip(names(reports), reports, strict=True):
        if report.verdict.state != "VALID":
            found.append(f"{name} is {report.verdict.state}: {'; '.join(report.verdict.reasons)}")
    if len({report.protocol.name for report in reports}) > 1:
        found.append("measured by different protocols")
    if len({report.frame for report in reports}) > 1:
        found.append("pipelines measured on different frames")
    if len({report.drift.images_digest for report in reports}) > 1:
        found.append("drift judged on different images")
    return found
