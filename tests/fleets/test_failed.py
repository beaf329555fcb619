"""What ``--retry`` asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.fleets.failed import Failed

BOARDS = [Board(f"pi@{number}", name=f"b{number}") for number in range(4)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path))
    return tmp_path


def names(failed: Failed) -> list[str]:
    return [str(board) for board in failed.of(BOARDS)]


def test_a_board_is_remembered_from_its_beginning_until_it_is_done() -> None:
    failed = Failed("f.toml", "deploy", ["a" * 64])
    failed.begin(BOARDS[:3])
    failed.done(BOARDS[1])
    assert names(Failed("f.toml", "deploy", ["a" * 64])) == ["b0", "b2"]
    failed.begin([BOARDS[2]])
    failed.done(BOARDS[2])
    assert names(failed) == ["b0"], "what a run left out is still to be done"


def test_another_fleet_verb_or_bundle_is_another_matter() -> None:
    Failed("f.toml", "deploy", ["a"]).begin(BOARDS)
    for other in (
        Failed("g.toml", "deploy", ["a"]),
        Failed("f.toml", "probe", ["a"]),
        Failed("f.toml", "deploy"),
    ):
        with pytest.raises(LibraryError, match="is remembered"):
            other.of(BOARDS)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"b0": 1}', b"[" * 100_000, b"\xff"])
def test_a_damaged_memory_is_none(cache: Path, damage: bytes) -> None:
    failed = Failed("f.toml", "deploy")
    failed.begin(BOARDS)
    next((cache / "fleets").glob("*.json")).write_bytes(damage)
    with pytest.raises(LibraryError, match="leave out --retry the first time|is remembered"):
        failed.of(BOARDS)


def test_what_cannot_be_kept_is_no_error(cache: Path) -> None:
    (cache / "fleets").write_bytes(b"a file where the folder would be")
    failed = Failed("f.toml", "deploy")
    failed.begin(BOARDS)
    failed.done(BOARDS[0])
