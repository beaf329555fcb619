"""A report in a notebook: the verdict, the figures that decide, and the first charts of its page."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from edgenet.errors import ReportError
from edgenet.metric import metrics
from edgenet.report import Report
from edgenet.views.charts import Charts
from edgenet.views.parts import Tile
from edgenet.views.sections import sections
from edgenet.views.shown.style import style
from edgenet.views.template import render
from edgenet.views.text import records

__all__ = ["html", "rows"]

# The page has all of them; a notebook shows those of speed and accuracy, which stand first there.
MOST = 4
SHOWN = ("Speed", "Accuracy")


def html(report: Report) -> str:
    """The verdict, the figures that decide, and the charts of speed and accuracy."""
    found = [section for section in sections(report, Charts()) if section.title in SHOWN]
    told = [*(limit.words for limit in report.verdict.limits), *report.verdict.notes]
    return render(
        "notebook.html.j2",
        style=style("report", "page.html.j2"),
        kind="report",
        title=f"{report.bundle.model} {report.build}",
        about=f"{report.device.board or report.device.name}, protocol {report.protocol.name}",
        state=report.verdict.state,
        reasons=report.verdict.reasons,
        lines=told,
        tiles=_tiles(report),
        charts=[chart for section in found for chart in section.charts][:MOST],
        more="All of it: edgenet.present(report) gives the page, report.to_frame() the figures.",
    )


def _tiles(report: Report) -> list[Tile]:
    known = [item for item in metrics(report) if item.of(report) is not None]
    return [Tile(item.name, item.text(report), item.unit) for item in known]


def rows(report: Report, part: str) -> list[dict[str, Any]]:
    """Column → value.

    Args:
        report: What the rows are of.
        part: "figures", one row as in the CSV; "layers", a row each; "samples", a row each run.

    Raises:
        ReportError: There is no such part.
    """
    parts = {"figures": lambda one: records([one]), "layers": _layers, "samples": _samples}
    if part not in parts:
        raise ReportError(f"a report has no part {part!r}", f"choose one of {', '.join(parts)}")
    return parts[part](report)


def _layers(report: Report) -> list[dict[str, Any]]:
    return [{item.name: getattr(layer, item.name) for item in fields(layer)} for layer in report.layers]


def _samples(report: Report) -> list[dict[str, Any]]:
    stages = {"model": report.latency_ms, "pipeline": report.pipeline_ms}
    return [
        {"stage": stage, "run": index, "ms": float(ms)}
        for stage, latency in stages.items()
        if latency is not None
        for index, ms in enumerate(latency.samples)
    ]
