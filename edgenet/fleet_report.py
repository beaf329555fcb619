"""One verb's measurements on many boards: what ``fleet.json`` holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.data_frame import data_frame
from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, EXIT_UNREACHABLE
from edgenet.json_file import check_schema, read_json, write_json
from edgenet.json_value import Count, NotNegative, Where
from edgenet.notebook import drawn, tabled
from edgenet.record import Record
from edgenet.report import Report

__all__ = ["DONE", "FAILED", "OVER_LIMIT", "UNREACHABLE", "FleetBoard", "FleetReport", "state_of"]

SCHEMA = 1
MAX_BYTES = 512 << 20
DONE = "done"
OVER_LIMIT = "over the limit"
FAILED = "failed"
UNREACHABLE = "unreachable"
STATES = DONE, OVER_LIMIT, FAILED, UNREACHABLE


def state_of(exit_code: int) -> str:
    """What a board's exit code means, in a word."""
    known = {EXIT_DONE: DONE, EXIT_OVER_LIMIT: OVER_LIMIT, EXIT_UNREACHABLE: UNREACHABLE}
    return known.get(exit_code, FAILED)


@dataclass(frozen=True, kw_only=True)
class FleetBoard(Record):
    """One board's.

    Attributes:
        board: Its name.
        device: Its address.
        state: "done", "over the limit", "failed" or "unreachable".
        exit_code: As a command on this board alone would have ended.
        seconds: Wall time.
        target: What it is, where that is known.
        tags: Of the fleet's file.
        reason: What went wrong.
        remedy: What to do about it.
        report: What was measured; ``None`` where nothing was.
    """

    board: str
    device: str
    state: str
    exit_code: Count
    seconds: NotNegative
    target: str | None = None
    tags: tuple[str, ...] = ()
    reason: str | None = None
    remedy: str | None = None
    report: Report | None = None

    def check(self, where: Where) -> None:
        """The state is a known one, and what is measured has a report."""
        if self.state not in STATES:
            raise where.at("state").refuse(self.state, f"one of {', '.join(STATES)}")
        if self.state in (DONE, OVER_LIMIT) and self.report is None:
            raise where.missing("report")


@dataclass(frozen=True, kw_only=True, repr=False)
class FleetReport(Record):
    """Measurements of a fleet.

    Attributes:
        schema: Version of this form.
        at: When, Unix time of the host.
        boards: In the fleet's order; no two have one name.

    Examples:
        >>> fleet = edgenet.FleetReport.load("fleet.json")
        >>> [item.board for item in fleet.boards if item.report is None]
        ['cellar', 'shelf']
    """

    schema: int
    at: float
    boards: tuple[FleetBoard, ...]

    @classmethod
    def load(cls, path: Path | str) -> FleetReport:
        """Read a ``fleet.json``.

        Raises:
            ReportError: Not readable, of another schema, or a value in it is not what it should be.
        """
        path = Path(path)
        values = read_json(path, "fleet report", MAX_BYTES, "profile the fleet again")
        check_schema(values, SCHEMA, path, "profile the fleet again")
        return cls.from_table(values, str(path))

    def check(self, where: Where) -> None:
        """A name is one board's."""
        names: set[str] = set()
        for index, item in enumerate(self.boards):
            if item.board in names:
                raise where.at("boards").at(index).at("board").refuse(item.board, "a name of its own")
            names.add(item.board)

    @property
    def reports(self) -> tuple[Report, ...]:
        """Of the boards that were measured."""
        return tuple(item.report for item in self.boards if item.report is not None)

    def write(self, path: Path | str) -> None:
        """Save as JSON, all of it or nothing."""
        write_json(Path(path), self.to_table())

    def __repr__(self) -> str:
        return f"<FleetReport: {len(self.reports)} of {len(self.boards)} boards measured>"

    def to_frame(self) -> Any:
        """A pandas ``DataFrame``, a row a board with the columns of the CSV.

        Raises:
            PackageError: pandas is not installed.
        """
        return data_frame(tabled(self))

    def _repr_html_(self) -> str:
        """For notebooks: a row a board, and what stands out."""
        return drawn(self)
