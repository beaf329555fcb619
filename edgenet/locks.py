"""One at a time, of all threads and processes here: locks that the system gives back with the process."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["exclusive", "locked"]

# What is done under a lock takes seconds at most; a process that is stopped would keep all others waiting.
LONGEST_S = 600.0
FIRST_S, LAST_S = 0.001, 0.1

# One for each file, so that what takes long does not keep others waiting.
_threads: dict[Path, threading.Lock] = {}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one, of this machine's threads and processes, who reads ``path`` and writes it again.

    Not twice within one thread. The lock is a file beside it and stays.

    Raises:
        TimeoutError: Another process has held it for ten minutes.
        OSError: The folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        _threads.setdefault(path, threading.Lock()),
        path.with_name(f".{path.name}.lock").open("ab") as stream,
    ):
        _wait(stream)
        yield


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file, or refuse at once where another process holds it.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: It cannot be written.
    """
    with path.open("ab") as stream:
        _lock(stream)
        yield


def _wait(stream: BinaryIO) -> None:
    until, pause = time.monotonic() + LONGEST_S, FIRST_S
    while True:
        try:
            return _lock(stream)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, f"another process holds {stream.name}") from None
        time.sleep(pause)
        pause = min(2 * pause, LAST_S)


def _lock(stream: BinaryIO) -> None:
    """Lock an open file until it is closed, or raise BlockingIOError."""
    if os.name != "nt":
        fcntl = importlib.import_module("fcntl")
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    msvcrt = importlib.import_module("msvcrt")
    stream.seek(0)
    try:
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    except PermissionError as error:  # EACCES is how Windows says that another one holds it
        raise BlockingIOError(errno.EAGAIN, error.strerror) from None
