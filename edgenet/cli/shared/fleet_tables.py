"""A fleet's report in the terminal: the boards with figures, those without, and what changed."""

from __future__ import annotations

from edgenet.cli.shared.output import print_rows, print_table, say_wrapped
from edgenet.fleet_report import FleetReport
from edgenet.views.fleet_rows import Cell, matrix_of
from edgenet.views.fleet_since import Since
from edgenet.views.fleet_text import ARROWS
from edgenet.views.sweep_words import counted, cut

__all__ = ["show_fleet"]

REASON = 160


def show_fleet(report: FleetReport, old: FleetReport | None = None) -> None:
    """Print it, kind by kind."""
    fleet = matrix_of(report, old)
    heads = [head.name for head in fleet.heads][:-1]
    for kind in fleet.kinds:
        rows = [fleet.rows[item.name] for item in kind.boards]
        title = f"kind {kind.letter}, {counted(len(rows), 'board')}: {kind.words}"
        shown = [[row.name, *map(_text, row.cells[1:-1])] for row in rows]
        print_table(title, [heads[0], *heads[2:]], shown)
    say_wrapped(*(f"{row.name}: {row.cells[-1].text}" for row in fleet.rows.values() if row.cells[-1].text))
    lost = [item for item in report.boards if item.report is None]
    print_rows(
        [item.board, item.state, cut("; ".join(filter(None, (item.reason, item.remedy))), 2 * REASON)]
        for item in lost
    )
    if fleet.since:
        say_wrapped(*_since(fleet.since))


def _text(cell: Cell) -> str:
    """A figure; a star marks an outlier, and an arrow a change that the samples tell."""
    told = f"{cell.text} *" if cell.mark else cell.text
    if cell.shift is None or not cell.shift.arrow:
        return told
    return f"{told} {ARROWS[cell.shift.arrow]}{cell.shift.words}"


def _since(since: Since) -> list[str]:
    told = [f"since {since.date}: {since.faster} faster, {since.slower} slower"]
    told += [f"new: {', '.join(since.new)}"] if since.new else []
    return told + ([f"gone: {', '.join(since.gone)}"] if since.gone else [])
