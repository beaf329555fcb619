"""What a board sends to be kept is bounded, whatever it sends."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edgenet.errors import DataError
from edgenet.live import recorder
from edgenet.live.recorder import Recorder


def test_a_board_cannot_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST", 3)
    with Recorder(tmp_path, None) as kept:
        for number in range(400):
            kept.save(f"snapshot-{number:06}.jpg", number, [], b"x")
        kept.save("drift-000001.jpg", 1, [], b"x")
        kept.save("../../.bashrc", 1, [], b"x")
        told = kept.kept()
    assert told == {"snapshots": 3, "drift": 1, "folder": str(tmp_path), "left_out": 398}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3 + 3 + 1


def test_pictures_of_an_earlier_demo_stay(tmp_path: Path) -> None:
    for body in (b"first", b"second", b"third"):
        with Recorder(tmp_path, None) as kept:
            kept.save("drift-000012.png", 12, [], body)
            kept.save("snapshot-000012.jpg", 12, [], body)
    names = ["12.png", "12-2.png", "12-3.png"]
    found = [(tmp_path / "drift" / f"drift-0000{name}").read_bytes() for name in names]
    assert found == [b"first", b"second", b"third"]
    assert len(list((tmp_path / "snapshots").glob("*.json"))) == 3


def test_a_folder_that_cannot_be_written_is_said_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "drift").write_text("a file")
    with Recorder(tmp_path, None) as kept:
        why = kept.save("drift-000001.png", 1, [], b"x")
        assert kept.save("snapshot-000001.png", 1, [], b"x") is None
    assert why is not None
    assert why.startswith(f"{tmp_path / 'drift'}: cannot be written (")
    assert kept.kept() == {"snapshots": 1, "drift": 0, "folder": str(tmp_path), "left_out": 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_answers_that_cannot_be_written_are_an_error_in_one_line() -> None:
    with (
        Recorder(Path("kept"), Path("/dev/full")) as kept,
        pytest.raises(DataError, match="/dev/full: cannot"),
    ):
        kept.answers([{"frame": 1}])


def test_answers_go_to_a_file_or_to_a_stream_that_stays_open(tmp_path: Path) -> None:
    stream = io.StringIO()
    for target in (tmp_path / "answers.jsonl", stream):
        with Recorder(tmp_path, target) as kept:
            kept.answers([{"frame": 1, "boxes": [[]]}, {"frame": 2}])
    assert not stream.closed
    assert stream.getvalue() == '{"frame": 1, "boxes": [[]]}\n{"frame": 2}\n'
    assert (tmp_path / "answers.jsonl").read_text() == stream.getvalue()
