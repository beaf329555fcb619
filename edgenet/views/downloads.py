"""What a page gives to take away, from within its own file: data URLs need no script and no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgenet.fleet_report import FleetReport
from edgenet.report import Report
from edgenet.text import plain
from edgenet.views.fleet_rows import FleetMatrix
from edgenet.views.fleet_text import fleet_csv_text
from edgenet.views.text import csv_text

__all__ = ["Download", "as_csv", "as_json", "file_name", "fleet_csv"]

# Samples of a run that a page carries; the rest stays in the report's own file.
SAMPLES = 500
# Bytes of a fleet's CSV that a page carries: of hundreds of boards, unless their texts are no names.
CSV_BYTES = 400_000


@dataclass(frozen=True)
class Download:
    """A link: its words, the file's name, its URL, and what to know of it."""

    words: str
    name: str
    url: str
    note: str = ""


def as_csv(reports: Sequence[Report]) -> Download:
    """The figures of all, a row a report."""
    return Download(
        "CSV", "edgenet.csv", _url("text/csv", csv_text(reports)), "the figures, one row per report"
    )


def fleet_csv(report: FleetReport, fleet: FleetMatrix) -> Download | None:
    """The figures of a fleet, a row a board; ``None`` where they are too large for a page."""
    text = fleet_csv_text(report, fleet)
    if len(text.encode()) > CSV_BYTES:
        return None
    return Download("CSV", "edgenet-fleet.csv", _url("text/csv", text), "the figures, one row per board")


def as_json(report: Report) -> Download:
    """A report that edgenet reads again: without pictures, its samples thinned out."""
    thin, every = _thinned(report.latency_ms)
    pipeline = None if report.pipeline_ms is None else _thinned(report.pipeline_ms)[0]
    worst = tuple(item.changed(thumbnail=None) for item in report.drift.worst)
    small = report.changed(latency_ms=thin, pipeline_ms=pipeline, drift=report.drift.changed(worst=worst))
    text = json.dumps(plain(small.to_table()), ensure_ascii=False, separators=(",", ":"))
    built = report.bundle
    name = ".".join((*map(file_name, (built.model, built.backend, built.precision)), "json"))
    kept = "every sample" if every == 1 else f"one sample in {every}"
    return Download("JSON", name, _url("application/json", text), f"the report, {kept}, no pictures")


def _thinned(latency: Any) -> tuple[Any, int]:
    """The same summary with at most ``SAMPLES`` of its samples, and of how many one was kept."""
    every = -(-len(latency.samples) // SAMPLES)
    thin = latency.changed(samples=latency.samples[::every], stride=latency.stride * every)
    return thin, every


def _url(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def file_name(name: str) -> str:
    """A part of a file's name that no system takes for a path."""
    return (
        "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:60].strip("-")
        or "report"
    )
