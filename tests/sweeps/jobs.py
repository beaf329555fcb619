"""Work for workers: functions of a module, which they import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from edgenet.errors import DataError
from edgenet.sweeps.images import Images
from edgenet.threads import usable_threads


def process(_: object) -> int:
    """Who did it."""
    return os.getpid()


def environment(name: str) -> str | None:
    """What programs that the worker starts inherit."""
    return os.environ.get(name)


def threads(_: object) -> int:
    return usable_threads()


def square(number: int) -> int:
    return number * number


def refuse(what: str) -> None:
    raise DataError(what, "try another")


def fail(what: str) -> None:
    raise ZeroDivisionError(what)


def end_worker(_: object) -> None:
    """Every process that does it ends, as one that the kernel kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def end_worker_once(mark: Path) -> int:
    """The first process that does it ends."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def nap(log: Path) -> None:
    """Take a fifth of a second, and write down which."""
    begin = time.monotonic()
    time.sleep(0.2)
    (log / f"{begin}").write_text(f"{begin} {time.monotonic()} {os.getpid()}")


def compute(seconds: float) -> None:
    """Keep a core busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def look(images: Images) -> tuple[int, str, str]:
    """How many images there are where it is done, where they lie, and who looked."""
    found = images.here()
    return len(found), str(found.folder), os.getcwd()
