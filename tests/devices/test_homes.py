"""Folders on a board in which edgenet cannot work are told before anything is sent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.devices.connect import connect
from edgenet.errors import ConnectionFailed
from edgenet.steps.doctor import doctor

# A Python on whose file system no link can be made, as FAT has none.
WITHOUT_LINKS = """#!{python}
import errno, os, sys
def symlink(*_, **__):
    raise OSError({number}, "x")
os.symlink = symlink
if sys.argv[1:3] == ["-E", "-c"] and len(sys.argv) > 4:
    code, sys.argv = sys.argv[3], sys.argv[3:]
    exec(code, {{"__name__": "__main__"}})
else:
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """``disk(options)``: a small file system."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"mode=755,{options}", "edgenet-test", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("cannot mount a file system here")
        return folder

    yield mount
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def refused(board: Board) -> ConnectionFailed:
    """The error, once it is sure that nothing was sent; doctor says the same."""
    with pytest.raises(ConnectionFailed) as caught:
        connect(board)
    found = doctor(board)
    assert found.conditions[0].found == caught.value.what
    assert "--board-home DIR, or with EDGENET_HOME there" in caught.value.remedy
    assert caught.value.remedy.index("--board-home") < caught.value.remedy.index("EDGENET_HOME")
    assert not list(Path(board.home).rglob("*.pyz*"))
    return caught.value


def test_read_only(disk: Callable[[str], Path]) -> None:
    home = disk("ro") / "home"
    assert refused(Board("local", home=str(home))).what == (
        f"{home} on local is on a file system that is mounted read-only"
    )


def test_full(disk: Callable[[str], Path]) -> None:
    folder = disk("size=64k")
    (folder / "much").write_bytes(bytes(48 * 1024))
    assert "local has no space left in" in refused(Board("local", home=str(folder / "home"))).what


@pytest.mark.parametrize("number", ["errno.EPERM", "errno.ENOSYS", "errno.EOPNOTSUPP"])
def test_without_symbolic_links(tmp_path: Path, number: str) -> None:
    python = tmp_path / "python"
    python.write_text(WITHOUT_LINKS.format(python=sys.executable, number=number))
    python.chmod(0o755)
    said = refused(Board("local", home=str(tmp_path / "home"), python=str(python)))
    assert "without symbolic links, such as FAT" in said.what


def test_that_became_read_only(disk: Callable[[str], Path]) -> None:
    """As an SD card does at the end of its life: the board answers still, and doctor says what is wrong."""
    board = Board("local", home=str(disk("size=16m") / "home"))
    connect(board).close()
    disk("remount,ro")
    found = {item.name: item for item in doctor(board).conditions}["folder"]
    assert (found.state, found.found) == ("not", "it can be read, but not written")
    assert "--board-home DIR" in found.remedy


def test_noexec(disk: Callable[[str], Path]) -> None:
    board = Board("local", home=str(disk("size=16m,noexec") / "home"))
    found = {item.name: item for item in doctor(board).conditions}["folder"]
    assert found.state == "not"
    assert "--board-home DIR" in found.remedy


def test_runtimes_that_are_linked_to_a_disk_without_exec(disk: Callable[[str], Path], tmp_path: Path) -> None:
    """The runtimes' own folder counts: each of the home's may be a link to a larger disk."""
    (tmp_path / "home").mkdir(0o700)
    (tmp_path / "home" / "runtimes").symlink_to(disk("size=1m,noexec"))
    with connect(Board("local", home=str(tmp_path / "home"))) as agent:
        assert agent.facts().noexec is True
