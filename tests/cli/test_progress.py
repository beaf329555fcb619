"""What people see of work that goes on."""

from __future__ import annotations

import io
import sys

import pytest

from edgenet.cli.shared.progress import progress as shown
from edgenet.progress import REMARK


class Screen(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_remark_stays_when_the_bar_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages take each other's place, the last one goes with the bar: what was damaged was missed."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown() as progress:
        progress("send", 1, 2)
        progress("damaged there, sent again: [x] one.whl", 0, REMARK)
        progress("send", 2, 2)
    lines = screen.getvalue().splitlines()
    assert [line.rpartition("\x1b[2K")[2] for line in lines if "damaged" in line] == [
        "edgenet: damaged there, sent again: [x] one.whl"
    ]
    assert not any(line.rpartition("\x1b[2K")[2].strip() == "send" for line in lines)


def test_nothing_is_drawn_while_ssh_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar erased the question whether a host key is right, and the cursor stood behind a bar."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown() as progress:
        progress("connecting to pi@kitchen", 0, None)
        screen.write("Are you sure (yes/no)? ")
        progress("waiting for the board to start the agent", 0, None)
        assert screen.getvalue().splitlines() == [
            "edgenet: connecting to pi@kitchen",
            "Are you sure (yes/no)? edgenet: waiting for the board to start the agent",
        ]
        progress("sending (kB)", 1, 2)
        progress("connecting to pi@kitchen", 0, None)
        begun = len(screen.getvalue())
        screen.write("Are you sure (yes/no)? ")
    assert screen.getvalue()[begun:] == "Are you sure (yes/no)? "


def test_a_long_stage_leaves_room_for_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with shown() as progress:
        progress(
            "local: timing v1-0.25-224 tflite int8, v1-0.25-224 tflite fp32, v1-0.25-160 tflite int8", 3, 8
        )
    assert "local: timing v1-0.25-224" in screen.getvalue()
    assert "3/8" in screen.getvalue()


def test_elsewhere_a_line_at_most_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("edgenet.cli.shared.progress.time.monotonic", lambda: clock[0])
    with shown() as progress:
        for done in range(1, 301):
            clock[0] += 0.1
            progress("calibrating (images)", done, 1000)
        progress("writing it for tflite", 0, None)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "edgenet: calibrating",
        "edgenet: calibrating: 101/1000 images, 10 images/s, 90 s left",
        "edgenet: calibrating: 201/1000 images, 10 images/s, 80 s left",
        "edgenet: writing it for tflite",
    ]


def test_a_bar_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    clock = [1000.0]
    monkeypatch.setattr("edgenet.cli.shared.progress.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("edgenet.cli.shared.pace.time.monotonic", lambda: clock[0])
    with shown() as progress:
        progress("calibrating (images)", 0, 500)
        clock[0] += 4.0
        progress("calibrating (images)", 120, 500)
    last = screen.getvalue()
    assert "13 s left  30 images/s  120/500 images" in last
    assert "(images)" not in last
