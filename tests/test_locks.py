"""Locks that threads and processes wait for, on both kinds of system."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgenet import locks
from edgenet.locks import exclusive, locked

HOLD = """
import sys
from pathlib import Path
from edgenet.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A file that another process holds, until the test ends."""
    path = tmp_path / ".file.lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        yield path
        other.stdin.close()


def test_what_another_process_holds_is_refused_at_once(held: Path) -> None:
    with pytest.raises(BlockingIOError), exclusive(held):
        pass


def test_waiting_ends(held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LONGEST_S", 0.01)
    with pytest.raises(TimeoutError, match="another process holds"), locked(held.with_name("file")):
        pass


class Msvcrt(SimpleNamespace):
    """Windows' own locks of bytes, as its documentation tells of them: EACCES where another one holds it."""

    LK_NBLCK = 2

    def locking(self, handle: int, mode: int, count: int) -> None:
        assert (mode, count) == (self.LK_NBLCK, 1)
        if self.busy:
            self.busy -= 1
            raise PermissionError(errno.EACCES, "Permission denied")
        self.locked += 1


def test_windows_waits_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = Msvcrt(busy=3, locked=0)
    monkeypatch.setitem(sys.modules, "msvcrt", double)
    monkeypatch.setattr(locks, "os", SimpleNamespace(name="nt"))
    with locked(tmp_path / "file"):
        assert (double.busy, double.locked) == (0, 1)
    double.busy = 1
    with pytest.raises(BlockingIOError), exclusive(tmp_path / "file"):
        pass
