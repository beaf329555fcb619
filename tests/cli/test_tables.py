"""Tables by the width of the terminal."""

from __future__ import annotations

import io
import re
import sys

import pytest

from edgenet.cli.shared.output import print_rows, print_table

ANSI = re.compile("\x1b\\[[0-9;]*m")
COLUMNS = ["build", "p50 ms", "FPS pipeline", "peak MB", "top-1", "verdict"]
ROWS = [
    ["tflite int8", "0.076", "1593.2", "54.9", "98.1 %", "VALID"],
    ["onnxruntime fp32", "0.31", "905.0", "80.2", "98.3 %", "NOISY"],
]


class Screen(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def lines(
    monkeypatch: pytest.MonkeyPatch, width: int, columns: list[str], rows: list[list[str]]
) -> list[str]:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    print_table("signs on this machine", columns, rows)
    found = [ANSI.sub("", line).rstrip() for line in screen.getvalue().splitlines()]
    assert all(len(line) <= width for line in found)
    return found


def test_a_row_becomes_a_block_where_the_table_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(monkeypatch, 60, COLUMNS, ROWS)
    assert found[:4] == [
        "signs on this machine",
        "tflite int8",
        "  p50 ms        0.076",
        "  FPS pipeline  1593.2",
    ]
    assert found.count("") == 2, "an empty line after each block"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_table_that_fits_stays_one_with_its_title_outside(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    found = lines(monkeypatch, width, COLUMNS, ROWS)
    assert found[0] == "signs on this machine"
    assert found[1].split("   ")[0] == "build"
    assert len(found) == 5


def test_a_long_text_goes_on_below_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lines(monkeypatch, 60, ["name", "why"], [["x", "word " * 30]])
    assert found[1] == "x"
    assert found[2].startswith("  why  word word")
    assert found[3].startswith("       word")


def test_elsewhere_rows_are_whole_lines_without_blanks_at_their_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_rows([("a", "word " * 100), ("bcd", "x")])
    assert capsys.readouterr().out == f"a    {('word ' * 100).rstrip()}\nbcd  x\n"
