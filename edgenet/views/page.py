"""Reports as one HTML file that needs nothing else: no script, no network, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from edgenet.figures import interval, number
from edgenet.metric import metrics
from edgenet.report import Limit, Report
from edgenet.views.charts import Charts
from edgenet.views.comparison import Overview, overview
from edgenet.views.parts import Section, Tile
from edgenet.views.sections import sections
from edgenet.views.template import render

__all__ = ["page"]


def page(reports: Sequence[Report]) -> str:
    """The page of one report, or of several compared.

    Args:
        reports: At least one.
    """
    charts = Charts()
    shown = [_context(report, charts, index) for index, report in enumerate(reports)]
    compared: Overview | None = overview(reports, charts) if len(reports) > 1 else None
    title = f"{reports[0].bundle.model} {reports[0].build}" if compared is None else compared.title
    return render("page.html.j2", title=title, reports=shown, overview=compared)


def _context(report: Report, charts: Charts, index: int) -> dict[str, Any]:
    found: list[Section] = sections(report, charts)
    return {
        "id": f"report-{index + 1}",
        "name": f"{report.bundle.model} {report.build}",
        "where": report.device.board or report.device.name,
        "when": _when(report),
        "protocol": report.protocol.name,
        "state": report.verdict.state,
        "reasons": report.verdict.reasons,
        "limits": [_limit(item) for item in report.verdict.limits],
        "tiles": _tiles(report),
        "sections": found,
    }


def _when(report: Report) -> str:
    seconds = report.device.facts.get("clock_s")
    if not isinstance(seconds, int | float) or not 0 < seconds < 1e11:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _limit(item: Limit) -> dict[str, Any]:
    return {"passed": item.passed, "text": item.words, "note": item.note or ""}


def _tiles(report: Report) -> list[Tile]:
    figures = {item.key: item.of(report) for item in metrics(report)}
    drift = report.drift
    spread = "" if report.emulated else interval(report.latency_ms.p50_interval, 3)
    alone = number(figures["fps_model"], 1)
    speed = [
        Tile("image to label", number(figures["fps_pipeline"], 1), "FPS", f"network alone {alone} FPS")
        if report.pipeline_ms else Tile("network alone", alone, "FPS", "image to label: not measured"),
        Tile("median", number(figures["p50_ms"], 3), "ms", f"95 % interval {spread}" if spread else ""),
        Tile("99 of 100 within", number(figures["p99_ms"], 3), "ms"),
    ]  # fmt: skip
    tiles = [] if report.emulated else speed
    tiles += [
        Tile("peak memory", number(figures["peak_mb"], 1), "MB", f"artifact {number(figures['size_mb'])} MB"),
    ]  # fmt: skip
    if drift.best is not None and drift.delta_pp is not None:
        against = f"{drift.delta_pp:+.2f} pp against float ({interval(drift.interval_pp)})"
        tiles.append(Tile(drift.measure, number(100.0 * drift.best, 1), "%", against))
    agreed = f"of {drift.images} answers are the float model's"
    tiles.append(Tile("agreement", number(figures["agreement_percent"], 1), "%", agreed))
    if figures["joules_per_frame"] is not None:
        tiles.append(Tile("energy", number(1e3 * figures["joules_per_frame"], 2), "mJ/frame"))
    return tiles
