"""Sweeps of several runs stand side by side where they were asked the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.errors import ReportError
from edgenet.report import Report
from edgenet.steps.join_sweeps import join_sweeps
from edgenet.steps.report import load_results, present
from edgenet.swept import CellAccuracy, Sweep
from tests.reports import report
from tests.sweeps.made import sweep


def test_one_is_itself() -> None:
    made = sweep()
    assert join_sweeps([made]) is made


def test_boards_of_both_are_kept() -> None:
    joined = join_sweeps([sweep(("pi4",)), sweep(("pi5",))])
    assert list(joined.boards) == ["pi4", "pi5"]
    assert [answer.device for answer in joined.answers] == ["pi4", "pi5"]
    assert len(joined.cells) == 120
    assert [item.device for item in joined.saved] == ["pi4", "pi5"]
    assert joined.notes == ("Published accuracy is of the float network.",)
    assert joined.tool == "edgenet 0.1.0"


def test_boards_of_one_name_are_numbered() -> None:
    joined = join_sweeps([sweep(("pi4", "pi5")), sweep(("pi4",))])
    assert list(joined.boards) == ["pi4 #1", "pi5", "pi4 #2"]
    assert {cell.device for cell in joined.cells} == {"pi4 #1", "pi5", "pi4 #2"}
    assert [answer.device for answer in joined.answers] == ["pi4 #1", "pi5", "pi4 #2"]
    assert len(joined.front("pi4 #1")) == len(joined.front("pi4 #2")) > 0


def test_what_is_joined_is_a_sweep(tmp_path: Path) -> None:
    """It can be written, read and joined again; files beside the first do not lie beside it."""
    first = sweep(("pi4",))
    first = replace(first, cells=tuple(replace(cell, report="r.json", bundle="b") for cell in first.cells))
    joined = join_sweeps([first, sweep(("pi5",))])
    joined.write(tmp_path / "joined.json")
    again = Sweep.load(tmp_path / "joined.json")
    assert again == joined
    assert {(cell.report, cell.bundle) for cell in again.cells} == {(None, None)}
    assert len(join_sweeps([again, sweep(("emulated",))]).answers) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"measure": "map50"}, "their measure is top1 and map50"),
        ({"frame": "320x240:jpeg"}, "their frame is 640x480:jpeg and 320x240:jpeg"),
        ({"line": 30.0}, "their line is 24 FPS and 30 FPS"),
    ],
)
def test_what_was_asked_otherwise_is_refused(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        join_sweeps([sweep(("pi4",)), sweep(("pi5",), **changes)])  # type: ignore[arg-type]


def measured(images: int) -> Sweep:
    made = sweep(("pi5",))
    top1 = CellAccuracy(value=0.7, kind="measured", images=images)
    return replace(made, cells=tuple(replace(cell, top1=top1) for cell in made.cells))


def test_measured_and_published_are_never_mixed() -> None:
    with pytest.raises(ReportError, match="their accuracy is published and measured"):
        join_sweeps([sweep(("pi4",)), measured(200)])


def test_different_images_are_told() -> None:
    assert join_sweeps([measured(200), measured(200)]).notes == sweep().notes
    told = join_sweeps([measured(200), measured(1000)]).notes[0]
    assert told == "The accuracies were not measured on the same images: 200 and 1,000."


def test_reports_and_sweeps_do_not_mix(tmp_path: Path) -> None:
    sweep().write(tmp_path / "sweep.json")
    report().write(tmp_path / "report.json")
    with pytest.raises(ReportError, match=r"sweep.json is a sweep and .*report.json is not"):
        load_results([tmp_path / "report.json", tmp_path / "sweep.json"])
    with pytest.raises(ReportError, match="is a sweep and"):
        present([sweep(), report()])


def test_each_is_found_by_what_it_holds(tmp_path: Path) -> None:
    sweep().write(tmp_path / "a.json")
    report().write(tmp_path / "b.json")
    assert isinstance(load_results([tmp_path / "a.json"]), Sweep)
    assert [type(item) for item in load_results([tmp_path / "b.json"])] == [Report]  # type: ignore[union-attr]
    for form in ("html", "md", "csv"):
        assert present([tmp_path / "a.json"], form) == present([sweep()], form)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"schema": 1}', "[" * 100_000])
def test_what_is_neither_is_told_as_before(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ReportError, match=r"x\.json: "):
        load_results([tmp_path / "x.json"])


def test_a_damaged_sweep_is_told_as_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"schema": 1, "cells": 3}')
    with pytest.raises(ReportError, match="run edgenet sweep again|no 'measure' in it"):
        load_results([tmp_path / "x.json"])
