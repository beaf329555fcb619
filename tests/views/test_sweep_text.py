"""A sweep as CSV and Markdown: figures as they are, foreign text inert."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from edgenet.swept import CellFps
from edgenet.views.inert import in_css, in_csv
from edgenet.views.sweep_text import sweep_csv, sweep_markdown
from tests.sweeps.made import sweep

EVIL = '=cmd|"/C calc"!A0\u202e <img src=x> [a](http://b) @c | *d*'


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_holds_the_figures_rounded_and_has_a_date() -> None:
    made = sweep(("pi4",))
    made = replace(made, boards={"pi4": {**made.boards["pi4"], "clock_s": 1.7e9}})
    found = rows(sweep_csv(made))
    assert len(found) == 60
    for row, cell in zip(found, made.cells, strict=True):
        assert row["model"] == cell.model
        assert row["state"] == cell.state
        assert float(row["fps_sustained"] or 0) == pytest.approx(cell.fps.sustained or 0, abs=5e-5)
        if cell.top1:
            assert float(row["accuracy"]) == pytest.approx(cell.top1.value, abs=5e-5)
        else:
            assert row["accuracy"] == ""
        assert max(len(value.partition(".")[2]) for key, value in row.items() if key.startswith("fps")) <= 4
        assert row["date"] == "2023-11-14T22:13:20+00:00"
        assert row["accuracy_kind"] == "published"
        assert row["drift_kind"] == ("" if cell.drift is None else "expected")
    (answer,) = [row for row in found if row["answer"] == "True"]
    assert answer["key"] == made.answers[0].key
    assert sum(row["front"] == "True" for row in found) == len(made.front("pi4")) - 1
    assert {row["measure"] for row in found} == {"top1"}


def test_an_emulated_board_has_no_speed_in_it() -> None:
    made = sweep(("emulated",))
    fast = CellFps(model=987.0, pipeline=876.0, sustained=765.0, interval=(1.0, 2.0))
    cells = tuple(replace(cell, fps=fast, p99_ms=654.0) for cell in made.cells)
    for row in rows(sweep_csv(replace(made, cells=cells))):
        assert {
            value for key, value in row.items() if key.startswith(("fps_", "p99")) and key != "fps_line"
        } == {""}
        assert row["state"] == "emulated"
    text = sweep_markdown(replace(made, cells=cells))
    assert "EMULATED" in text
    assert "876" not in text


@pytest.mark.parametrize("begin", ["=1", "+1", "-1", "@a", "＝1", "＠a"])
def test_no_cell_is_a_formula(begin: str) -> None:
    made = sweep(("pi4",))
    evil = replace(made.cells[0], model=begin, reason=begin, state=begin, device="pi4", key="evil")
    (row,) = rows(sweep_csv(replace(made, cells=(evil,), measure=begin)))
    assert {row["model"], row["reason"], row["state"], row["measure"]} == {f"'{begin}"}
    assert in_csv(-1.5) == -1.5
    assert in_csv("\r=1") == " =1"


def test_no_cells_are_a_header_alone() -> None:
    assert rows(sweep_csv(sweep(cells=()))) == []


def test_markdown_tells_answers_fronts_and_every_cell() -> None:
    made = sweep()
    lines = sweep_markdown(made).splitlines()
    assert lines[0] == "### The most accurate network at 24 FPS"
    assert len([line for line in lines if line.startswith("- **")]) == 3
    heads = [line for line in lines if line.startswith("#### ")]
    assert heads == [
        "#### Front of Raspberry Pi 4 Model B Rev 1.5",
        "#### Front of Raspberry Pi 5 Model B Rev 1.0",
        "#### Every cell",
    ]
    assert sum(line.startswith("| V") for line in lines) == 180 + sum(
        len(made.front(d)) for d in ("pi4", "pi5")
    )
    assert (
        "| V3-Large 1.0 at 224 | answer | Raspberry Pi 4 Model B Rev 1.5 | int8 by TFLite | 4 | sustained"
        in "\n".join(lines)
    )
    assert "- Speed: 39 sustained, 69 screened, 60 EMULATED (no speed)" in lines


def test_foreign_text_is_no_markup() -> None:
    made = sweep(("pi4",), notes=(EVIL,))
    cells = tuple(replace(cell, model=EVIL, reason=EVIL, backend=EVIL) for cell in made.cells)
    answers = tuple(replace(answer, sentence=EVIL, board=EVIL) for answer in made.answers)
    text = sweep_markdown(replace(made, cells=cells, answers=answers))
    assert "<img" not in text
    assert "\u202e" not in text
    assert "@c" not in text
    assert "[a](" not in text
    bars = {line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("| =cmd")}
    assert len(bars) == 1, "each row has as many columns"


def test_in_a_style_sheet_text_ends_no_string() -> None:
    assert in_css("FPS") == "FPS"
    assert in_css('a"}b\\</') == r"a\22 \7d b\5c \3c \2f "
