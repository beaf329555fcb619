"""What people see of work on many boards."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console

from edgenet.board import Board
from edgenet.cli.shared.many_progress import _Screen, many_progress
from edgenet.progress import REMARK

BOARDS = [Board(f"pi@{number}", name=f"board-{number:02d}", asks=False) for number in range(50)]


def drawn(screen: _Screen, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    return [str(line) for line in screen._drawn(console.width, console.height)]


def test_every_board_has_a_line_where_there_is_room_for_all() -> None:
    screen = _Screen(BOARDS[:3], Console(file=io.StringIO()))
    screen.tell(BOARDS[0], "sending (kB)", 1000, 4000)
    screen.tell(BOARDS[1], "connecting", 0, None)
    screen.ended(BOARDS[1], "done")
    lines = drawn(screen, 80, 24)
    assert re.fullmatch(r"board-00 +0 s  sending: 1\.0/4\.0 MB", lines[0])
    assert [line.split()[-1] for line in lines[1:3]] == ["done", "waiting"]
    assert lines[3] == "1 at work, 1 done, 1 waiting"


def test_fifty_boards_fit_a_screen_of_few_lines_and_short_ones() -> None:
    screen = _Screen(BOARDS, Console(file=io.StringIO()))
    for board in BOARDS[:30]:
        screen.tell(board, "a stage with a long name that goes on and on beyond the end of the line", 1, 2)
    for board in BOARDS[:10]:
        screen.ended(board, "failed")
    lines = drawn(screen, 40, 12)
    assert len(lines) == 10
    assert all(len(line) < 40 for line in lines)
    assert lines[0].startswith("board-10")
    assert lines[-1] == "20 at work, 10 failed, 20 waiting"


def test_elsewhere_each_line_names_its_board(capsys: pytest.CaptureFixture[str]) -> None:
    with many_progress(BOARDS[:2]) as (tell, ended):
        tell(BOARDS[0], "connecting", 0, None)
        tell(BOARDS[1], "connecting", 0, None)
        tell(BOARDS[0], "damaged there, sent again: one.whl", 0, REMARK)
        ended(BOARDS[0], "failed")
        ended(BOARDS[1], "done")
    assert capsys.readouterr().err.splitlines() == [
        "edgenet: board-00: connecting",
        "edgenet: board-01: connecting",
        "edgenet: board-00: damaged there, sent again: one.whl",
        "edgenet: board-00: failed; 1 left",
        "edgenet: board-01: done",
    ]


def test_a_line_names_its_board_once_and_counts_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    with many_progress(BOARDS[:2]) as (tell, ended):
        tell(BOARDS[0], f"connecting to {BOARDS[0]}", 0, None)
        for state in ("switched", "returned"):
            for board in BOARDS[:2]:
                ended(board, state)
    assert capsys.readouterr().err.splitlines() == [
        "edgenet: board-00: connecting",
        "edgenet: board-00: switched; 1 left",
        "edgenet: board-01: switched",
        "edgenet: board-00: returned",
        "edgenet: board-01: returned",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_drawn_once_ssh_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn again and again erased the question whether a host key is right."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with many_progress(BOARDS[:2]) as (tell, ended):
        tell(BOARDS[0], "connecting", 0, None)
        ended(BOARDS[0], "done")
        tell(Board("pi@1", name="board-01", asks=True), "connecting", 0, None)
        begun = len(terminal.getvalue())
        terminal.write("Are you sure (yes/no)? ")
        tell(Board("pi@1", name="board-01", asks=True), "sending", 0, None)
        ended(BOARDS[1], "done")
    after = terminal.getvalue()[begun:]
    assert after == "Are you sure (yes/no)? edgenet: board-01: sending\nedgenet: board-01: done\n"
