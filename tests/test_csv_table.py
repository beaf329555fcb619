"""Tables of any dialect, and text of any program: read, or refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.csv_table import read_csv, whole_number
from edgenet.errors import DataError
from edgenet.text_file import read_text


def test_a_hundred_thousand_rows_are_read(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["file,class_index", *(f"{at:06d}.jpg,{at % 10}" for at in range(100_000))]))
    rows = read_csv(table, "file", DataError, "file,class_index").rows
    assert (len(rows), rows[-1].line) == (100_000, 100_001)
    assert rows[-1].cells == {"file": "099999.jpg", "class_index": "9"}


def test_short_rows_have_empty_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,a,b\nx,1\n")
    assert read_csv(tmp_path / "t.csv", "file", DataError, "f").rows[0].cells == {
        "file": "x",
        "a": "1",
        "b": "",
    }


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@settings(max_examples=300)
def test_any_bytes_are_a_table_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    table = tmp_path_factory.getbasetemp() / "any.csv"
    for content in (data, b"file,class_index\n" + data):
        table.write_bytes(content)
        told = ""
        try:
            found = read_csv(table, "file", DataError, "file,class_index")
            assert all(set(row.cells) == set(found.columns) for row in found.rows)
        except DataError as error:
            told = str(error)
        assert len(told.splitlines()) <= 1


def test_whole_numbers_are_plain_digits() -> None:
    cells = ("7", "007", "", "²", "٣", "-1", "+1", "1.0", "1_0", " 1", "9" * 5000)
    assert [whole_number(cell) for cell in cells] == [7, 7, *[None] * 9]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_text_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.txt").write_bytes("é\r\n".encode(encoding))
    assert read_text(tmp_path / "t.txt", DataError, "") == "é\r\n"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, reason in (
        (tmp_path / "fifo", "a FIFO"),
        (tmp_path, "a folder"),
        (Path("/dev/zero"), "a device"),
    ):
        with pytest.raises(DataError, match=f"{reason}, not a file"):
            read_text(path, DataError, "give a file")
    (tmp_path / "large").write_bytes(b"x" * 1001)
    with pytest.raises(DataError, match="1 kB, at most 1 kB are read"):
        read_text(tmp_path / "large", DataError, "give a file", 1000)
