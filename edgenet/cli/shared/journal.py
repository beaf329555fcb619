"""The log of one run: kept in memory, shown with ``--verbose``, written where the run fails."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import time
import traceback
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from edgenet import __version__
from edgenet.cli.shared.loudness import LOUDNESS
from edgenet.cli.shared.output import say
from edgenet.files import cache_dir
from edgenet.log import log
from edgenet.shell import command_line
from edgenet.text import plain

__all__ = ["Journal"]

# Of a log: characters in a line, and lines that are kept of its beginning and of its end.
LONGEST, FIRST, LAST = 500, 500, 1500
# Logs that are kept; the oldest go.
KEPT = 20


class Journal(logging.Handler):
    """A context manager; within it everything that ``edgenet.log`` is told is kept.

    Args:
        arguments: Of the command line.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__()
        self._arguments, self._began = list(arguments), time.perf_counter()
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=LAST)
        self._count = 0

    def __enter__(self) -> Journal:
        self._level = log.level
        log.setLevel(logging.DEBUG)
        log.addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        log.removeHandler(self)
        log.setLevel(self._level)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line with the seconds since the start; show it if that was asked for."""
        text = f"{time.perf_counter() - self._began:8.2f} s  {_harmless(record.getMessage())}"
        self._keep(text)
        if LOUDNESS.verbose:
            with contextlib.suppress(OSError, ValueError):  # a closed stderr is no reason to fail
                say(f"edgenet: {text}", err=True)

    def save(self, error: BaseException) -> Path | None:
        """Write what was kept, and where an error was raised, into a file that only this user reads.

        Returns:
            The file; ``None`` where the cache cannot be written.
        """
        for line in "".join(traceback.format_exception(error)).splitlines():
            self._keep(_harmless(line))
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = cache_dir() / "logs" / f"{stamp}-{os.getpid()}.log"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
                stream.writelines(f"{line}\n" for line in self._lines())
            _prune(path.parent)
        except OSError:
            return None
        return path

    def _keep(self, line: str) -> None:
        self._count += 1
        (self._first if len(self._first) < FIRST else self._last).append(line)

    def _lines(self) -> list[str]:
        system = f"Python {platform.python_version()}, {platform.platform()}"
        lost = self._count - len(self._first) - len(self._last)
        return [
            f"edgenet {__version__}, {system}, {time.strftime('%Y-%m-%d %H:%M:%S %z')}",
            _harmless(command_line(["edgenet", *self._arguments])),
            *self._first,
            *([f"… {lost} lines left out …"] if lost else []),
            *self._last,
        ]


def _harmless(text: str) -> str:
    """On one line, not too long, and without the passwords of addresses."""
    from edgenet.agent.wire import redacted

    return plain(redacted(text[:LONGEST]))


def _prune(folder: Path) -> None:
    for path in sorted(folder.glob("*.log"))[:-KEPT]:
        path.unlink(missing_ok=True)
