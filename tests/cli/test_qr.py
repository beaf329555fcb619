"""The page's address as a QR code: read by another program's reader, and shown only where there is room."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from edgenet.cli.demo import demo
from edgenet.cli.shared import output, qr
from edgenet.cli.shared.qr import qr_lines, show_qr

URL = "http://127.0.0.1:40533/#xXstWFNN628_1ukTPmLajZFyC4z5kjgR"


def test_another_reader_reads_it() -> None:
    cv2 = pytest.importorskip("cv2")
    rows = []
    for line in qr_lines(URL):
        rows += [[255 * (half in "█▀") for half in line], [255 * (half in "█▄") for half in line]]
    image = np.kron(np.array(rows, np.uint8), np.ones((8, 8), np.uint8))
    found, *_ = cv2.QRCodeDetector().detectAndDecode(np.pad(image, 16, constant_values=255))
    assert found == URL
    assert len({len(line) for line in qr_lines(URL)}) == 1


@pytest.mark.parametrize(("columns", "lines", "shown"), [(80, 24, True), (36, 24, False), (80, 18, False)])
@pytest.mark.parametrize("colors", [True, False])
def test_it_is_shown_where_there_is_room(
    columns: int, lines: int, shown: bool, colors: bool, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "fileno", lambda: 2)
    monkeypatch.setattr(qr.os, "get_terminal_size", lambda _: os.terminal_size((columns, lines)))
    monkeypatch.setenv("NO_COLOR", "" if colors else "1")
    monkeypatch.setattr(output.click, "echo", lambda text, err: print(text, file=sys.stderr))
    why = show_qr(URL)
    drawn = capsys.readouterr().err
    assert bool(drawn) == shown
    assert bool(why) != shown
    assert ("\x1b" in drawn) == (shown and colors)
    if not shown:
        assert why == f"the terminal has {columns}x{lines} characters, the code 37x19"


def test_where_stderr_is_no_terminal_there_is_none(capsys: Any) -> None:
    assert show_qr(URL) == "stderr is no terminal"
    assert capsys.readouterr().err == ""


def test_a_code_without_a_page_leads_nowhere() -> None:
    done = CliRunner().invoke(demo, ["--qr", "--no-page"])
    assert done.exit_code == 2
    assert "--no-page leaves out" in done.output
