"""A child process with three pipes, the end of whose stderr is kept, and the connections that are one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, BinaryIO, cast

__all__ = ["PipedConnection", "PipedProcess"]

_KEPT = 16 * 1024
# Windows: Ctrl-C goes to every program of the console but those of another group (CreateProcess).
_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200) if os.name == "nt" else 0


class PipedProcess:
    """A started program.

    Args:
        command: The program and its arguments; no shell is involved.
        environment: All its variables, or None for this process's own.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        with _interrupts_ignored():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                creationflags=_OWN_GROUP,
            )
        self.stdin = cast(BinaryIO, self._process.stdin)
        self.stdout = cast(BinaryIO, self._process.stdout)
        self._tail = b""
        self._collector = threading.Thread(target=self._collect, args=(self._process.stderr,), daemon=True)
        self._collector.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def _collect(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            while piece := stream.read1(_KEPT):  # type: ignore[attr-defined]
                self._tail = (self._tail + piece)[-_KEPT:]

    def cut(self, patience: float = 1.0) -> None:
        """Kill it unless it ends within ``patience`` seconds; its streams stay open."""
        if self.wait(patience) is None:
            self._process.kill()

    def stderr_text(self) -> str:
        """The last 16 KiB of stderr."""
        return self._tail.decode("utf-8", "replace")

    def wait(self, seconds: float) -> int | None:
        """The exit status, if the process ends within ``seconds``; all of stderr is read then."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._collector.join(1.0)
        return status

    def close(self, patience: float = 2.0) -> None:
        """Close its stdin, wait ``patience`` seconds, then end it; never raises."""
        # Closing writes what is left, for which a stopped program never makes room.
        timer = threading.Timer(patience, self._process.kill)
        timer.daemon = True
        timer.start()
        with contextlib.suppress(OSError, ValueError):
            self.stdin.close()
        timer.cancel()
        if self.wait(patience) is None:
            self._process.terminate()
            if self.wait(patience) is None:
                self._process.kill()
                self._process.wait()
        self._collector.join(1.0)
        for stream in (self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                cast(IO[bytes], stream).close()


class PipedConnection:
    """A connection whose two streams are a program's stdin and stdout."""

    def __init__(self) -> None:
        self._process: PipedProcess | None = None

    @property
    def process(self) -> PipedProcess:
        """The started process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def stdin(self) -> BinaryIO:
        """To the agent."""
        return self.process.stdin

    @property
    def stdout(self) -> BinaryIO:
        """From the agent."""
        return self.process.stdout

    def cut(self) -> None:
        """Kill the program soon; whoever reads from it or writes to it is told."""
        self.process.cut()

    def close(self) -> None:
        """End the program, and with it the agent."""
        if self._process is not None:
            self._process.close()


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """A program started within ignores Ctrl-C, as ssh then does too: it is this process's to handle."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
