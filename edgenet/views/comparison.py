"""Several reports side by side: a table, the fastest against the most accurate, and ratios to the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.report import Report
from edgenet.views.charts import Charts, Point, wide
from edgenet.views.figures import FIGURES, build, number, value
from edgenet.views.sections import Chart

__all__ = ["Overview", "names", "notes", "overview", "table"]

# What a film needs; the question of the page is who reaches it, and at what price.
WANTED_FPS = 24.0


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
    models = list(dict.fromkeys(str(report.bundle["model"]) for report in reports))
    columns, rows = table(reports)
    drawn = [*_pareto(reports, charts), *_latency(reports, charts)]
    return Overview(", ".join(models), columns, rows, drawn, notes(reports))


def table(reports: Sequence[Report]) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Columns, and a row a report; the best of a column is marked, times only where every run is valid.

    An emulated board has no times, so it is no bar to marking those of the others.
    """
    kept = [figure for figure in FIGURES if any(value(figure, report) is not None for report in reports)]
    best, valid = {}, all(report.verdict["state"] == "VALID" for report in reports if not report.emulated)
    for figure in kept:
        if figure.timed and not valid:
            continue
        known = [found for report in reports if (found := value(figure, report)) is not None]
        if figure.better and len({round(item, figure.digits) for item in known}) > 1:
            best[figure.key] = max(known) if figure.better > 0 else min(known)
    rows = []
    for report, name in zip(reports, names(reports), strict=True):
        cells = [(name, False)]
        for figure in kept:
            found = value(figure, report)
            cells.append((number(found, figure.digits), found is not None and found == best.get(figure.key)))
        rows.append([*cells, (str(report.verdict["state"]), False)])
    return ["build", *(figure.label for figure in kept), "verdict"], rows


def names(reports: Sequence[Report]) -> list[str]:
    """What tells the reports apart: the build, and where they differ model, board and protocol."""
    parts = [
        [str(report.bundle["model"]) for report in reports],
        [build(report) for report in reports],
        [str(report.device.get("facts", {}).get("board") or report.device["name"]) for report in reports],
        [str(report.protocol.get("name")) for report in reports],
    ]
    telling = [part for index, part in enumerate(parts) if index == 1 or len(set(part)) > 1]
    joined = [" · ".join(words) for words in zip(*telling, strict=True)]
    return [f"{name} #{i + 1}" if joined.count(name) > 1 else name for i, name in enumerate(joined)]


def _pareto(reports: Sequence[Report], charts: Charts) -> list[Chart]:
    labelled = all(report.drift.get("top1") is not None for report in reports)
    points: dict[str, list[Point]] = defaultdict(list)
    shown = [report for report in reports if not report.emulated]
    for report, name in zip(shown, names(shown), strict=True):
        fps = report.fps.get("pipeline") or report.fps["model"]
        quality = report.drift["top1"] if labelled else report.drift["agreement"]
        if fps:
            backend = str(report.bundle["backend"])
            label = name.replace(f"{backend} ", "")
            points[backend].append((fps, 100.0 * float(quality), label))
    if not points:
        return []
    what = "top-1 %" if labelled else "same answers as float, %"
    says = "; ".join(
        f"{backend} {label}: {x:.1f} FPS, {y:.1f} {what}"
        for backend, group in points.items()
        for x, y, label in group
    )
    caption = f"Speed against accuracy: up and to the right is better; the line is {WANTED_FPS:g} FPS"
    return [Chart(caption, charts.pareto(points, WANTED_FPS, what, says), wide=True)]


def _latency(reports: Sequence[Report], charts: Charts) -> list[Chart]:
    found = []
    for key, unit, caption in (
        ("p50_ms", "ms", "Median of one invocation, ms"),
        ("peak_mb", "MB", "Peak memory, MB"),
    ):
        figure = next(item for item in FIGURES if item.key == key)
        shown = [report for report in reports if value(figure, report) is not None]
        known = [(name, value(figure, report)) for name, report in zip(names(shown), shown, strict=True)]
        if known:
            bars = charts.bars(
                [name for name, _ in known], [measured for _, measured in known], unit, caption
            )
            found.append(Chart(caption, bars, wide([name for name, _ in known])))
    return found


def notes(reports: Sequence[Report]) -> list[str]:
    """Why the comparison may be unfair."""
    found = []
    for name, report in zip(names(reports), reports, strict=True):
        if report.verdict["state"] != "VALID":
            reasons = "; ".join(report.verdict.get("reasons", []))
            found.append(f"{name} is {report.verdict['state']}: {reasons}")
    if len({str(report.protocol.get("name")) for report in reports}) > 1:
        found.append("measured by different protocols")
    if len({str(report.drift.get("images_digest")) for report in reports}) > 1:
        found.append("drift judged on different images")
    return found
