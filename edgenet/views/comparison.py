"""Several reports side by side: what tells them apart, a table of their figures, and what makes it unfair."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.figures import number
from edgenet.metric import metrics
from edgenet.report import Report

__all__ = ["names", "notes", "table", "unlike"]


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
    """What tells the reports apart: the build, and where they differ model, board, protocol and frame.

    No two are the same: where that does not tell them apart, their number does.
    """
    parts = [
        [report.bundle.model for report in reports],
        [report.build for report in reports],
        [report.device.board or report.device.name for report in reports],
        [report.protocol.name for report in reports],
        [report.frame or "" for report in reports],
    ]
    telling = [part for index, part in enumerate(parts) if index == 1 or len(set(part)) > 1]
    joined = [" · ".join(filter(None, words)) for words in zip(*telling, strict=True)]
    found = [f"{name} #{i + 1}" if joined.count(name) > 1 else name for i, name in enumerate(joined)]
    if len(set(found)) < len(found):
        return [f"{name} #{i + 1}" for i, name in enumerate(joined)]
    return found


def notes(reports: Sequence[Report]) -> list[str]:
    """Why the comparison may be unfair."""
    found = []
    for name, report in zip(names(reports), reports, strict=True):
        if report.verdict.state != "VALID":
            found.append(f"{name} is {report.verdict.state}: {'; '.join(report.verdict.reasons)}")
    return [*found, *unlike(reports)]


def unlike(reports: Sequence[Report]) -> list[str]:
    """What was not measured in the same way."""
    found = []
    if len({report.protocol.name for report in reports}) > 1:
        found.append("measured by different protocols")
    if len({report.frame for report in reports}) > 1:
        found.append("pipelines measured on different frames")
    if len({report.drift.images_digest for report in reports}) > 1:
        found.append("drift judged on different images")
    return found
