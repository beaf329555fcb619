"""A fleet's report in a notebook: a row a board with its figures, and what stands out."""

from __future__ import annotations

from typing import Any

from edgenet.errors import ReportError
from edgenet.fleet_report import FleetReport
from edgenet.notebook import Grid, card
from edgenet.views.fleet_rows import matrix_of
from edgenet.views.fleet_text import fleet_records
from edgenet.views.sweep_words import counted, cut

__all__ = ["html", "rows"]

# Boards and boards without figures; and characters of a reason. The page has all of it.
MOST, LONGEST = 30, 160


def html(report: FleetReport) -> str:
    """The matrix, then the boards without figures."""
    fleet = matrix_of(report)
    lost = [
        [cut(item.board, LONGEST), item.state, cut(item.reason, LONGEST)]
        for item in report.boards
        if item.report is None
    ]
    matrix = [
        [cut(row.name, LONGEST), *(cut(cell.text, LONGEST) for cell in row.cells)]
        for row in fleet.rows.values()
    ]
    grids = [Grid([head.name for head in fleet.heads], matrix[:MOST])] if matrix else []
    if lost:
        grids.append(Grid(("without figures", "state", "reason"), lost[:MOST]))
    kinds = {f"kind {kind.letter}": kind.words for kind in fleet.kinds[:MOST]}
    about = {"measured": f"{len(report.reports)} of {counted(len(report.boards), 'board')}", **kinds}
    if len(matrix) > MOST or len(lost) > MOST:
        about["shown"] = f"the first {MOST}: edgenet.present(report) gives the page with all"
    return card("A fleet", about, *grids)


def rows(report: FleetReport, part: str) -> list[dict[str, Any]]:
    """A row a board, as in the CSV.

    Raises:
        ReportError: There is no such part.
    """
    if part != "figures":
        raise ReportError(f"a fleet's report has no part {part!r}", "leave it out: there are its boards")
    return fleet_records(report)
