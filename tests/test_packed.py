"""Folders that travel as one archive."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgenet.library import image_folder
from edgenet.packed import unpacked

FILES = {"calib/0.jpg": b"first", "val/0.jpg": b"second", "manifest.toml": b"name = 'x'\n"}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name, data in FILES.items():
            opened.writestr(name, data)
    unpacked.cache_clear()
    return path


def held(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_it_is_unpacked_once_into_the_cache(archive: Path, tmp_path: Path) -> None:
    folder = unpacked(archive)
    assert folder.is_relative_to(tmp_path / "cache")
    assert held(folder) == FILES
    before = (folder / "val" / "0.jpg").stat().st_ino
    unpacked.cache_clear()
    assert unpacked(archive) == folder
    assert (folder / "val" / "0.jpg").stat().st_ino == before
    assert {path.name for path in folder.parent.iterdir() if path.is_dir()} == {folder.name}


def test_processes_at_once_share_it_and_none_takes_it_from_another(archive: Path) -> None:
    """Each reads every file right after it was told the folder, as often as another could replace it."""
    code = f"""
from pathlib import Path
from edgenet.packed import unpacked
folder = unpacked(Path({str(archive)!r}))
for _ in range(300):
    assert (folder / "manifest.toml").read_bytes() and (folder / "last.txt").read_bytes()
"""
    with zipfile.ZipFile(archive, "a") as opened:
        for number in range(300):
            opened.writestr(f"val/more{number}.jpg", b"x" * number)
        opened.writestr("last.txt", b"last")
    root = Path(__file__).resolve().parents[1]
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"cut")])
def test_a_damaged_folder_is_made_again(archive: Path, damage: object) -> None:
    folder = unpacked(archive)
    damage(folder / "val" / "0.jpg")  # type: ignore[operator]
    unpacked.cache_clear()
    assert held(unpacked(archive)) == FILES


def test_another_archive_is_another_folder(archive: Path) -> None:
    folder = unpacked(archive)
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("more", b"")
    unpacked.cache_clear()
    assert unpacked(archive) != folder


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_without_a_cache_it_is_the_process_own(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = archive.with_name("file")
    in_the_way.write_bytes(b"")
    monkeypatch.setenv("EDGENET_CACHE", str(in_the_way))
    folder = unpacked(archive)
    assert not folder.is_relative_to(archive.parent)
    assert held(folder) == FILES


def test_a_set_that_travels_as_an_archive_is_a_folder_as_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked.cache_clear()
    for split, count in (("calib", 128), ("val", 500)):
        folder = image_folder("scenes", split)
        assert len(list(folder.glob("*.jpg"))) == count
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenes").mkdir()
    assert image_folder("scenes", "val") == Path("scenes")
    assert image_folder("./scenes.zip", "val") == Path("scenes.zip")
