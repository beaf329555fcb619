"""One report as a part of a page: its verdict, its limits, the figures that decide, and its sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgenet.drift import Drift
from edgenet.figures import interval, number
from edgenet.metric import metrics
from edgenet.report import Limit, Report
from edgenet.views.banners import MEANS
from edgenet.views.charts import Charts
from edgenet.views.downloads import as_json
from edgenet.views.parts import Section, Tile
from edgenet.views.pipeline import WANTED_FPS
from edgenet.views.recommendation import TELLING_PP, loss_words
from edgenet.views.sections import sections
from edgenet.views.when import when

__all__ = ["report_body", "when_words", "where_words"]


def report_body(report: Report, charts: Charts, name: str) -> dict[str, Any]:
    """What the template of one report is filled with.

    Args:
        report: It.
        charts: Those of the page.
        name: Its id on the page.
    """
    found: list[Section] = sections(report, charts)
    return {
        "id": name,
        "name": f"{report.bundle.model} {report.build}",
        "where": where_words(report),
        "when": when_words([report]),
        "protocol": report.protocol.name,
        "state": report.verdict.state,
        "reasons": report.verdict.reasons,
        "means": MEANS.get(report.verdict.state, ""),
        "limits": [_limit(item) for item in report.verdict.limits],
        "tiles": _tiles(report),
        "sections": found,
        "json": as_json(report),
    }


def where_words(report: Report) -> str:
    """The board and its processor: "Raspberry Pi 5 Model B, 4 × Cortex-A76"."""
    facts, board = report.device.facts, report.device.board or report.device.name
    cpu, cores = facts.get("cpu"), facts.get("cores")
    if not isinstance(cpu, str) or not cpu:
        return board
    return f"{board}, {cores} × {cpu}" if isinstance(cores, int) and cores > 1 else f"{board}, {cpu}"


def when_words(reports: Sequence[Report]) -> str:
    """When it was measured, to the minute; of several days the first and the last."""
    dates = sorted(date for report in reports if (date := when(report.device.facts)))
    days = list(dict.fromkeys(date.strftime("%Y-%m-%d") for date in dates))
    if len(days) > 1:
        return f"{days[0]} to {days[-1]}"
    return dates[0].strftime("%Y-%m-%d %H:%M UTC") if dates else ""


def _limit(item: Limit) -> dict[str, Any]:
    return {"passed": item.passed, "text": item.words, "note": item.note or ""}


def _tiles(report: Report) -> list[Tile]:
    """The figures that decide: speed, accuracy, memory."""
    figures = {item.key: item.of(report) for item in metrics(report)}
    drift = report.drift
    tiles = [] if report.emulated else _speed_tiles(report)
    if drift.best is not None and drift.delta_pp is not None:
        change = f"{drift.delta_pp:+.2f} pp against float ({interval(drift.interval_pp)})"
        best = number(100.0 * drift.best, 1)
        tiles.append(Tile(drift.measure, best, "%", change, loss_words(report), _kept(drift)))
    agreed = f"of {drift.images:,} answers are the float model's"
    tiles.append(Tile("agreement", number(figures["agreement_percent"], 1), "%", agreed))
    size = f"artifact {number(figures['size_mb'])} MB"
    tiles.append(Tile("peak memory", number(figures["peak_mb"], 1), "MB", size))
    if figures["joules_per_frame"] is not None:
        tiles.append(Tile("energy", number(1e3 * figures["joules_per_frame"], 2), "mJ/frame"))
    return tiles


def _kept(drift: Drift) -> bool | None:
    """Whether nothing was lost that can be measured; ``None`` where so few images do not tell."""
    lost = drift.lost().interval
    if lost is None or (lost[0] <= 0 and lost[1] > TELLING_PP):
        return None
    return lost[0] <= 0


def _speed_tiles(report: Report) -> list[Tile]:
    fps, latency = report.fps, report.latency_ms
    times = fps.best_known / WANTED_FPS
    kept, rate = times >= 1.0, f"{times:.0f}×" if times >= 10 else f"{times:.1f}×"
    against = f"{'meets' if kept else 'misses'} {WANTED_FPS:g} FPS ({rate})"
    alone = number(fps.model, 1)
    first = (
        Tile("image to label", number(fps.pipeline, 1), "FPS", f"network alone {alone} FPS", against, kept)
        if fps.pipeline
        else Tile("network alone", alone, "FPS", "image to label: not measured", against, kept)
    )
    spread = interval(latency.p50_interval, 3)
    middle = f"95 % interval {spread}" if spread else ""
    return [
        first,
        Tile("median latency", number(latency.p50, 3), "ms", middle),
        Tile("99 % of runs within", number(latency.p99, 3), "ms"),
    ]
