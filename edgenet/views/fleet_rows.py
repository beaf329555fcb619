"""The rows of a fleet's matrix: each measured board with its figures, what stands out, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.change import VALID
from edgenet.fleet_report import OVER_LIMIT, FleetBoard, FleetReport
from edgenet.report import Report
from edgenet.views.fleet_columns import Column, columns
from edgenet.views.fleet_kinds import Kind, kinds
from edgenet.views.fleet_marks import Mark, Standing, standings
from edgenet.views.fleet_since import Shift, Since, since
from edgenet.views.sweep_words import cut

__all__ = ["NAME", "Cell", "FleetMatrix", "Head", "Row", "matrix_of"]

# Of a name, a tag and a sentence; the whole stands in the file.
NAME = 80
SENTENCE, TAGS = 400, 12


@dataclass(frozen=True)
class Head:
    """A column's head, what it holds, and whether that are figures."""

    name: str
    about: str
    figures: bool = True


@dataclass(frozen=True)
class Cell:
    """What stands in one place of the matrix.

    Attributes:
        text: For people.
        kind: "n" of a figure, else what the style sheet calls it.
        key: What it is sorted by where that is a number.
        mark: That it stands out.
        shift: What changed.
    """

    text: str
    kind: str = ""
    key: str = ""
    mark: Mark | None = None
    shift: Shift | None = None


@dataclass(frozen=True)
class Row:
    """A board: its name, address and tags, then its cells in the order of the heads but the first."""

    name: str
    device: str
    tags: Sequence[str]
    cells: Sequence[Cell]


@dataclass(frozen=True)
class FleetMatrix:
    """A fleet's figures as people see them.

    Attributes:
        columns: Which.
        kinds: The measured boards by kind.
        standings: Name → how the board stands in its kind.
        since: What changed, where an earlier run is given.
        heads: Of the matrix.
        rows: Name → the row of a measured board, kind by kind.
    """

    columns: Sequence[Column]
    kinds: Sequence[Kind]
    standings: dict[str, Standing]
    since: Since | None
    heads: Sequence[Head]
    rows: dict[str, Row]


def matrix_of(report: FleetReport, old: FleetReport | None = None) -> FleetMatrix:
    """A fleet's figures, and against an earlier run.

    Args:
        report: The fleet.
        old: The earlier run.
    """
    shown, found = columns(report.reports), kinds(report)
    standing = standings(found, shown)
    changed = since(old, report, shown) if old else None
    boards = {item.board: item for item in report.boards}
    names = [item.name for kind in found for item in kind.boards]
    rows = {name: _row(boards[name], shown, standing[name], changed) for name in names}
    return FleetMatrix(shown, found, standing, changed, _heads(shown), rows)


def _heads(shown: Sequence[Column]) -> list[Head]:
    return [
        Head("board", "its name, its address and its tags", False),
        Head("kind", "boards of one kind should show the same figures", False),
        *(Head(item.metric.head, f"{item.metric.name}; an outlier differs by more than {item.words}")
          for item in shown),
        Head("verdict", "whether the figures may be believed, and whether the limits hold", False),
        Head("what stands out", "why the verdict is what it is, and how an outlier's facts differ", False),
    ]  # fmt: skip


def _row(item: FleetBoard, shown: Sequence[Column], standing: Standing, changed: Since | None) -> Row:
    report = item.report
    assert report is not None  # a board without figures is of no kind
    was = changed.boards.get(item.board) if changed else None
    cells = [Cell(standing.kind.letter)]
    for column in shown:
        key = column.metric.key
        cells.append(_figure(column, report, standing.marks.get(key), was.shifts.get(key) if was else None))
    words = [*_doubts(report), *_outlier(standing)]
    if changed and item.board in changed.new:
        words.append("new")
    cells += [_verdict(item, report), Cell(cut("; ".join(words), SENTENCE), "words")]
    tags = [cut(tag, NAME) for tag in item.tags[:TAGS]]
    return Row(cut(item.board, NAME), cut(item.device, NAME), tags, cells)


def _figure(column: Column, report: Report, mark: Mark | None, shift: Shift | None) -> Cell:
    value = column.metric.of(report)
    if value is None:
        return Cell("–", "n")
    return Cell(column.metric.text(report), "n", f"{value:.10g}", mark, shift)


def _verdict(item: FleetBoard, report: Report) -> Cell:
    state = report.verdict.state
    words = f"{state}, {OVER_LIMIT}" if item.state == OVER_LIMIT or report.over_limit else state
    return Cell(cut(words, NAME), "valid" if words == VALID else "doubt")


def _doubts(report: Report) -> list[str]:
    """The verdict's reasons and the limits that do not hold."""
    return [*report.verdict.reasons, *(item.words for item in report.verdict.limits if not item.passed)]


def _outlier(standing: Standing) -> list[str]:
    if not standing.marks:
        return []
    return [f"outlier of kind {standing.kind.letter}: {', '.join(standing.differs)}"]
