"""Files that several threads and processes write."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgenet.errors import DataError
from edgenet.files import check_output, write_atomic
from edgenet.locks import locked

COUNT = """
import sys
from pathlib import Path
from edgenet.files import write_atomic
from edgenet.locks import locked
path = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with locked(path):
        write_atomic(path, b"%d" % (int(path.read_bytes()) + 1))
"""


def count(path: Path, times: int) -> None:
    for _ in range(times):
        with locked(path):
            write_atomic(path, b"%d" % (int(path.read_bytes()) + 1))


def test_no_thread_and_no_process_loses_what_another_wrote(tmp_path: Path) -> None:
    path = tmp_path / "number"
    path.write_bytes(b"0")
    others = [subprocess.Popen([sys.executable, "-c", COUNT, str(path), "20"]) for _ in range(2)]
    threads = [threading.Thread(target=count, args=(path, 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert path.read_bytes() == b"120"


def test_threads_that_write_leave_the_umask_as_it_was(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write = lambda name: [write_atomic(tmp_path / f"{name}{n}", b"") for n in range(50)]  # noqa: E731
        threads = [threading.Thread(target=write, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_pipe_or_device_stays_what_it_is_and_gets_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomic(path, b"all of it")
        assert os.read(reading, 100) == b"all of it"
        assert path.is_fifo()
    finally:
        os.close(reading)


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for path, folder in (("new/deep/report.json", False), ("file", False), ("new/sweep", True), (".", True)):
        check_output(tmp_path / path, folder)
    with pytest.raises(DataError, match="is not a folder"):
        check_output(tmp_path / "file" / "report.json")
    with pytest.raises(DataError, match="is not a folder"):
        check_output(tmp_path / "file", folder=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DataError, match=r"you may not write in .*: choose another place"):
        check_output(tmp_path / "new" / "report.json")
