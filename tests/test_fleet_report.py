"""A fleet's report: it comes back as it was, and what is no fleet's report is refused in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenet.errors import ReportError
from edgenet.fleet_report import DONE, FleetReport, state_of
from edgenet.report import Report
from tests.fleets.made import board, fleet, one
from tests.reports import report


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path, made = tmp_path / "fleet.json", fleet()
    made.write(path)
    again = FleetReport.load(path)
    assert again == made
    assert repr(again) == "<FleetReport: 8 of 10 boards measured>"
    assert len(again.reports) == 8


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, "done"), (1, "failed"), (3, "unreachable"), (4, "over the limit"), (130, "failed")],
)
def test_an_exit_code_in_a_word(code: int, state: str) -> None:
    assert state_of(code) == state


def changed(**values: Any) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(json.dumps(fleet([board("a", one()), board("b")]).to_table()))
    table["boards"][1].update(values)
    return table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (changed(board="a"), r"boards\[1\].board is 'a', not a name of its own"),
        (changed(state=DONE), r"no 'boards\[1\].report' in it"),
        (changed(state="asleep"), r"boards\[1\].state is 'asleep', not one of done, "),
        (changed(seconds=-1), r"boards\[1\].seconds is -1"),
        (changed(tags=["\x1b[2J"]), r"boards\[1\].tags\[0\] is .*, not printable text"),
        ({**changed(), "schema": 2}, "schema 2, this edgenet reads 1"),
        ({"schema": 1, "at": 1.0}, "no 'boards' in it"),
        ([], "schema None"),
    ],
)
def test_what_is_no_fleets_report_is_refused(tmp_path: Path, table: Any, told: str) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(table))
    with pytest.raises(ReportError, match=told):
        FleetReport.load(path)


def test_each_kind_says_what_the_other_is(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    fleet().write(path)
    with pytest.raises(ReportError, match="of a fleet, not of one board: give a report of one board"):
        Report.load(path)
    report().write(path)
    with pytest.raises(ReportError, match="no 'at' in it"):
        FleetReport.load(path)
