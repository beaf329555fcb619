"""A fleet as CSV and Markdown: the figures as they are, foreign text inert."""

from __future__ import annotations

import csv
import io

import pytest

from edgenet.notebook import tabled
from edgenet.steps.report import present
from edgenet.views.fleet_rows import matrix_of
from edgenet.views.fleet_text import fleet_records
from tests.fleets.made import board, fleet, one
from tests.views.test_fleet_page import old

EVIL = '=cmd|"/C calc"!A0 <img src=x> [a](http://b) @c | *d*'


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_a_board_with_the_columns_of_its_report() -> None:
    made = fleet()
    found = rows(present(made, "csv"))
    assert [row["board"] for row in found] == [item.board for item in made.boards]
    hot, shelf = found[5], found[-1]
    assert hot["tags"] == "kitchen south"
    assert hot["outliers"] == "fps_pipeline fps_model p99_ms temperature_c"
    assert hot["verdict"] == "THROTTLED"
    assert float(hot["temperature_c"]) == 82.0
    report = made.boards[5].report
    assert report is not None
    assert float(hot["p99_ms"]) == pytest.approx(report.latency_ms.p99, abs=5e-4)
    assert (shelf["state"], shelf["reason"], shelf["p99_ms"]) == ("unreachable", "no route to host", "")
    assert list(found[0]) == list(tabled(made)[0])
    assert not any(key.endswith("_change") for key in found[0])
    assert rows(present(fleet([]), "csv")) == []


def test_changes_are_columns_where_an_earlier_run_is_given() -> None:
    first = fleet_records(fleet(), matrix_of(fleet(), old()))[0]
    assert first["fps_model_change"] == pytest.approx(10.0, abs=0.1)
    assert first["fps_model_change_low"] < 10.0 < first["fps_model_change_high"]
    assert first["fps_model_changed"] is True
    assert first["peak_mb_changed"] is False
    found = rows(present(fleet(), "csv", old()))
    assert found[6]["since"] == "new"
    assert found[6]["fps_model_change"] == ""


def test_markdown_tells_the_matrix_and_the_rest() -> None:
    text = present(fleet(), "md", old())
    lines = text.splitlines()
    assert lines[0] == "### m on 10 boards"
    assert sum(line.startswith(("| kitchen", "| hall")) for line in lines) == 8
    assert "**35 % below**" in text
    assert "▲ +10.0 %" in text
    assert "- **shelf** unreachable: no route to host; switch it on" in lines
    assert "- Since 2025-02-19 21:20 UTC: 1 faster, 1 slower" in lines
    assert "- Gone: attic" in lines


def test_foreign_text_is_no_markup_and_no_formula() -> None:
    made = fleet([board(EVIL, one(target=EVIL)), board(f"{EVIL}2", reason=EVIL)])
    text = present(made, "md", made)
    assert "<img" not in text
    assert "@c" not in text
    assert "[a](" not in text
    assert len({line.count("|") - line.count("\\|") for line in text.splitlines() if line[:1] == "|"}) == 1
    assert rows(present(made, "csv"))[0]["board"] == f"'{EVIL}"
