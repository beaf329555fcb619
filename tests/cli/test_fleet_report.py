"""``edgenet report`` and ``edgenet compare`` of fleets: files, the terminal, and exit codes for CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenet.views import fleet_page
from tests.cli.test_sweep_report import run
from tests.fleets.made import board, fleet, one
from tests.reports import report
from tests.sweeps.made import sweep
from tests.views.test_fleet_page import old


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    new, before = tmp_path / "new.json", tmp_path / "old.json"
    fleet().write(new)
    old().write(before)
    return new, before


def test_the_terminal_shows_kinds_outliers_and_changes(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    new, before = files
    assert run("report", new, "--since", before) == 0
    out = capsys.readouterr().out
    assert "kind A, 6 boards: raspberry-pi-4 · tflite int8 · Python 3.11 · 1800 MHz" in out
    assert "32.3 *" in out
    assert "▲ +10.0 %" in out
    assert "kitchen-hot: the board reported: throttled; outlier of kind A: THROTTLED" in out
    assert "unreachable  no route to host; switch it on" in out
    assert "1 faster, 1 slower" in out
    assert "gone: attic" in out


@pytest.mark.parametrize("suffix", ["html", "md", "csv"])
def test_a_file_by_its_suffix(files: tuple[Path, Path], tmp_path: Path, suffix: str) -> None:
    new, before = files
    assert run("report", new, "--since", before, "-o", tmp_path / "out" / f"f.{suffix}") == 0
    assert "kitchen-hot" in (tmp_path / "out" / f"f.{suffix}").read_text()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"f.{suffix}"]


def test_large_reports_are_written_beside_the_page(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_page, "MOST", 1000)
    assert run("report", files[0], "-o", tmp_path / "f.html") == 0
    names = sorted(path.name for path in (tmp_path / "f.boards").iterdir())
    assert names[5:7] == ["06-kitchen-hot.html", "07-hall-0.html"]
    assert 'href="f.boards/06-kitchen-hot.html"' in (tmp_path / "f.html").read_text()


def test_what_does_not_go_together_is_refused(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, before = files
    single, swept = tmp_path / "r.json", tmp_path / "s.json"
    report().write(single)
    sweep(("pi4",)).write(swept)
    for words, told in (
        (
            (new, before),
            "a page is of one run of a fleet; give the newer one, and the older one with --since",
        ),
        ((new, single), "new.json is a fleet report and"),
        ((swept, new), "s.json is a sweep and"),
        ((single, "--since", before), "only a fleet's report has an earlier run; leave --since out"),
        ((swept, "--since", before), "only a fleet's report has an earlier run"),
    ):
        assert run("report", *words) == 1
        assert told in capsys.readouterr().err
    assert run("report", new, "--since", before, "--json") == 2
    assert run("compare", single, single, "--require-all") == 2
    assert run("compare", new, single) == 1
    assert "of a fleet, not of one board" in capsys.readouterr().err


def test_compare_says_each_board_and_fails_in_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    fleet([board("x", one(20.0)), board("y", one(20.0))]).write(a)
    fleet([board("x", one(18.0, 1))]).write(b)
    assert run("compare", a, b) == 0
    out = capsys.readouterr().out
    assert "b is faster" in out
    assert "missing: not in b" in out
    for option in ("--require-all", "--require-valid"):
        assert run("compare", a, b, option) == 4
        assert "gate: y: board in b 0.00, asked for at least 1: MISSED" in capsys.readouterr().out
    assert run("compare", a, b, "--min-fps", "99", "--json") == 4
    found = json.loads(capsys.readouterr().out)
    assert found["over_limit"] is True
    assert [(item["board"], item["state"]) for item in found["boards"]] == [
        ("x", "compared"),
        ("y", "missing"),
    ]
    assert found["boards"][0]["gates"][0]["passed"] is False


def test_the_json_is_the_fleets_report(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", files[0], "--json") == 0
    assert json.loads(capsys.readouterr().out)["boards"][5]["board"] == "kitchen-hot"
