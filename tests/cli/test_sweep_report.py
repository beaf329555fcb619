"""``edgenet report`` of sweeps: in the terminal, as a file, and several as one."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.cli.main import main
from edgenet.cli.shared.sweep import next_steps
from edgenet.cli.shared.sweep_tables import show_sweep, sweep_columns, sweep_lines, sweep_rows
from edgenet.swept import Sweep
from tests.sweeps.made import sweep


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(item) for item in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_terminal_shows_the_answers_and_what_is_worth_having(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = sweep()
    made.write(tmp_path / "sweep.json")
    assert run("report", tmp_path / "sweep.json") == 0
    out = capsys.readouterr().out
    for answer in made.answers:
        assert answer.sentence in out
    assert "published 75.2 %" in out
    assert "50 other cells: 11 sustained, 30 screened, 6 skipped, 2 failed, 1 not reached" in out
    assert "2 cells failed: onnxruntime stopped (signal 9): not enough memory" in out
    assert "60 other cells: 60 EMULATED" in out
    assert "6 of 60 cells were decided without the board" in out


def test_rows_are_the_answer_and_the_front() -> None:
    made = sweep()
    shown = sweep_columns(made, 200)
    rows = sweep_rows(made, "pi4", shown)
    assert {len(row) for row in rows} == {len(shown)}
    assert [row[[item.head for item in shown].index("rank")] for row in rows] == ["answer", *["front"] * 9]
    assert sweep_rows(made, "emulated", shown) == []
    assert sweep_lines(replace(made, cells=()), "pi4") == []


def test_a_narrow_terminal_shows_fewer_columns_and_none_folded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = [[item.head for item in sweep_columns(sweep(), wide)] for wide in (200, 80, 20)]
    assert heads[0] == [*heads[1][:1], "rank", "build", "threads", "state", *heads[1][2:3], "p99 ms",
                        "top-1 %", "top-1 known by", "drift", "memory MB"]  # fmt: skip
    assert heads[1] == heads[2] == ["network", "build", "FPS", "top-1 %"]
    monkeypatch.setattr("edgenet.cli.shared.output.PLAIN_WIDTH", 80)
    show_sweep(sweep())
    lines = capsys.readouterr().out.splitlines()
    assert any("V3-Large 1.0 at 224" in line and "34.4 (33.9 to 34.9)" in line for line in lines)


@pytest.mark.parametrize("suffix", ["html", "md", "csv"])
def test_a_file_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    sweep(("pi4",)).write(tmp_path / "sweep.json")
    assert run("report", tmp_path / "sweep.json", "-o", tmp_path / f"out.{suffix}") == 0
    assert "v3-large" in (tmp_path / f"out.{suffix}").read_text().lower()


def test_several_become_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(("pi4",)).write(tmp_path / "a.json")
    sweep(("pi5",)).write(tmp_path / "b.json")
    assert run("report", tmp_path / "a.json", tmp_path / "b.json", "--json") == 0
    joined = Sweep.from_table(json.loads(capsys.readouterr().out))
    assert list(joined.boards) == ["pi4", "pi5"]
    sweep(("pi5",), line=30.0).write(tmp_path / "c.json")
    assert run("report", tmp_path / "a.json", tmp_path / "c.json") == 1
    assert "their line is 24 FPS and 30 FPS; sweep both in the same way" in capsys.readouterr().err


def test_where_a_report_is_wanted_a_sweep_is_called_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sweep.json"
    sweep(("pi4",)).write(path)
    assert run("compare", path, path) == 1
    assert "a sweep, not a report; give one of the reports beside it" in capsys.readouterr().err


def test_sentences_of_boards_of_one_name_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sweep.json"
    made = sweep(("pi4",))
    made.write(path)
    for form in ("terminal", "md"):
        assert run("report", path, path, "--format", form) == 0
        out = capsys.readouterr().out
        for number in (1, 2):
            assert f"{made.answers[0].board} (pi4 #{number}): V3-Large 1.0 at 224" in out.replace("\\", "")


def test_the_next_step_can_be_pasted_whatever_the_folder_is_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = sweep(("pi4",))
    cells = tuple(cell.changed(bundle="bundles/a b.edgenet") for cell in found.cells)
    next_steps(replace(found, cells=cells), Path("it's here"))
    line = capsys.readouterr().err.splitlines()[0]
    assert shlex.split(line.removeprefix("next: ")) == [
        "edgenet",
        "deploy",
        "it's here/bundles/a b.edgenet",
        "--device",
        "pi4",
    ]
