"""Reports as Markdown for a pull request, and as CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgenet.figures import interval
from edgenet.metric import metrics
from edgenet.report import Report
from edgenet.views.comparison import notes, table
from edgenet.views.inert import csv_table, in_markdown, markdown_table
from edgenet.views.pipeline import pipeline_words
from edgenet.views.when import when

__all__ = ["csv_text", "markdown", "records"]


def markdown(reports: Sequence[Report]) -> str:
    """A table, a row a report; below it the verdicts' reasons, the limits and what the drift rests on."""
    columns, rows = table(reports)
    model = ", ".join(dict.fromkeys(report.bundle.model for report in reports))
    shown = [[f"**{cell}**" if best else cell for cell, best in _escaped(row)] for row in rows]
    lines = [f"### {in_markdown(model)}", "", *markdown_table(columns, shown)]
    lines.append("")
    lines += [f"- {in_markdown(note)}" for note in notes(reports)]
    for report, cells in zip(reports, rows, strict=True):
        lines += [f"- {in_markdown(cells[0][0])}: {fact}" for fact in _facts(report)]
    return "\n".join(lines).rstrip() + "\n"


def _escaped(row: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    return [(in_markdown(text), best) for text, best in row]


def _facts(report: Report) -> list[str]:
    drift, found = report.drift, []
    if drift.interval_pp and drift.delta_pp is not None:
        found.append(
            f"drift {drift.delta_pp:+.2f} pp, 95 % interval {interval(drift.interval_pp)} pp"
            f" on {drift.images} images"
        )
    if report.frame:
        found += [f"{head}: {in_markdown(words)}" for head, words in pipeline_words(report).items()]
    for limit in report.verdict.limits:
        words = in_markdown(limit.words)
        found.append(words if limit.passed else f"**{words}**")
    return found


def records(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """What a report is of and its figures, as they are in the report; ``None`` where one is absent."""
    return [
        {
            "model": report.bundle.model,
            "backend": report.bundle.backend,
            "precision": report.bundle.precision,
            "device": report.device.name,
            "date": date.isoformat(timespec="seconds") if (date := when(report.device.facts)) else None,
            "protocol": report.protocol.name,
            "verdict": report.verdict.state,
            **{item.key: item.of(report) for item in metrics(*reports)},
            **_pipeline(report),
        }
        for report in reports
    ]


def _pipeline(report: Report) -> dict[str, Any]:
    """The frame that the pipeline was measured on, the mean ms of its parts, and the next best step."""
    pipeline = None if report.emulated else report.pipeline_ms
    parts = pipeline.parts if pipeline else {}
    steps = pipeline.steps if pipeline else None
    return {
        "frame": report.frame,
        **{f"{name}_ms": parts.get(name) for name in ("decode", "fit", "invoke", "post")},
        "next_step": steps.best.change if steps and steps.best else None,
        "next_step_saves_ms": steps.best.saves_ms if steps and steps.best else None,
    }


def csv_text(reports: Sequence[Report]) -> str:
    """A header and a row a report; an absent figure is an empty cell, the others are rounded."""
    digits = {item.key: item.digits for item in metrics(*reports)}
    rows = records(reports)
    return csv_table(list(rows[0]), rows, digits)
