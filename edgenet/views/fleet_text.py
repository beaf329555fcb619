"""A fleet as Markdown for a pull request, and as CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgenet.fleet_report import FleetBoard, FleetReport
from edgenet.metric import TEMPERATURE, metrics
from edgenet.report import Report
from edgenet.views.fleet_rows import Cell, FleetMatrix, matrix_of
from edgenet.views.inert import csv_table, in_markdown, markdown_table
from edgenet.views.text import records

__all__ = ["ARROWS", "fleet_csv_text", "fleet_markdown", "fleet_records"]

ARROWS = {"up": "▲ ", "down": "▼ "}


def fleet_markdown(report: FleetReport, fleet: FleetMatrix) -> str:
    """The matrix; then the boards without figures, the kinds, and what changed."""
    models = ", ".join(dict.fromkeys(item.bundle.model for item in report.reports))
    lines = [f"### {in_markdown(models or 'nothing')} on {len(report.boards)} boards", ""]
    if fleet.rows:
        rows = [[in_markdown(row.name), *map(_cell, row.cells)] for row in fleet.rows.values()]
        right = [head.figures for head in fleet.heads]
        lines += [*markdown_table([in_markdown(head.name) for head in fleet.heads], rows, right), ""]
    lines += [f"- {line}" for line in (*_lost(report), *_kinds(fleet), *_since(fleet))]
    return "\n".join(lines).rstrip() + "\n"


def _cell(cell: Cell) -> str:
    words = [in_markdown(cell.text)]
    if cell.mark:
        words.append(f"**{in_markdown(cell.mark.words)}**")
    if cell.shift and cell.shift.arrow:
        words.append(in_markdown(f"{ARROWS[cell.shift.arrow]}{cell.shift.words}"))
    return ", ".join(filter(None, words))


def _lost(report: FleetReport) -> list[str]:
    return [
        f"**{in_markdown(item.board)}** {item.state}: "
        + in_markdown("; ".join(filter(None, (item.reason, item.remedy))) or "no reason is known")
        for item in report.boards
        if item.report is None
    ]


def _kinds(fleet: FleetMatrix) -> list[str]:
    return [
        f"Kind {kind.letter}, {len(kind.boards)} of the boards: {in_markdown(kind.words)}"
        for kind in fleet.kinds
    ]


def _since(fleet: FleetMatrix) -> list[str]:
    if fleet.since is None:
        return []
    found = [f"Since {fleet.since.date}: {fleet.since.faster} faster, {fleet.since.slower} slower"]
    if fleet.since.new:
        found.append(f"New: {in_markdown(', '.join(fleet.since.new))}")
    if fleet.since.gone:
        found.append(f"Gone: {in_markdown(', '.join(fleet.since.gone))}")
    return found


def fleet_csv_text(report: FleetReport, fleet: FleetMatrix) -> str:
    """A header and a row a board; an absent figure is an empty cell, the others are rounded."""
    digits = {item.key: item.digits for item in (*metrics(*report.reports), TEMPERATURE)}
    rows = fleet_records(report, fleet)
    return csv_table(list(rows[0]) if rows else ["board"], rows, digits)


def fleet_records(report: FleetReport, fleet: FleetMatrix | None = None) -> list[dict[str, Any]]:
    """Every board with its figures, as they are in its report; ``None`` where one is absent.

    Args:
        report: The fleet.
        fleet: The same as people see it, which may know an earlier run.
    """
    fleet = fleet or matrix_of(report)
    told = iter(records(report.reports))
    every = [(item, next(told) if item.report is not None else {}) for item in report.boards]
    heads = next((list(row) for _, row in every if row), [])
    return [_record(item, {head: row.get(head) for head in heads}, fleet) for item, row in every]


def _record(item: FleetBoard, figures: dict[str, Any], fleet: FleetMatrix) -> dict[str, Any]:
    standing = fleet.standings.get(item.board)
    return {
        "board": item.board,
        "address": item.device,
        "target": item.target,
        "tags": " ".join(item.tags),
        "state": item.state,
        "exit_code": item.exit_code,
        "seconds": item.seconds,
        "reason": item.reason,
        "remedy": item.remedy,
        "kind": standing.kind.letter if standing else None,
        "kind_words": standing.kind.words if standing else None,
        "outliers": " ".join(standing.marks) if standing else None,
        "differs": "; ".join(standing.differs) if standing else None,
        **figures,
        TEMPERATURE.key: _hottest(item.report),
        **_changes(item.board, fleet),
    }


def _hottest(report: Report | None) -> float | None:
    return None if report is None else TEMPERATURE.of(report)


def _changes(board: str, fleet: FleetMatrix) -> dict[str, Any]:
    """Of each figure by how much (of a speed in percent, else in its unit), and whether that is told."""
    if fleet.since is None:
        return {}
    was = fleet.since.boards.get(board)
    found: dict[str, Any] = {"since": "new" if was is None else "; ".join(was.notes) or None}
    for key in _keys(fleet):
        shift = was.shifts.get(key) if was else None
        low, high = (shift and shift.edges) or (None, None)
        found |= {
            f"{key}_change": shift.by if shift else None,
            f"{key}_change_low": low,
            f"{key}_change_high": high,
            f"{key}_changed": bool(shift.arrow) if shift else None,
        }
    return found


def _keys(fleet: FleetMatrix) -> Sequence[str]:
    return [item.metric.key for item in fleet.columns]
