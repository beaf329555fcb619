"""This machine as a board: the same agent, without ssh."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import BinaryIO

from edgenet.devices.bootstrap import BOOT
from edgenet.devices.process import PipedProcess
from edgenet.errors import ConnectionFailed, ConnectionLost

__all__ = ["LocalConnection"]


class LocalConnection:
    """The agent in a process of its own, run by this Python."""

    name = "local"

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

    def start(self, digest: str, size: int) -> int:
        """Start the bootstrap; returns 0: nothing is sent.

        Raises:
            ConnectionFailed: This Python cannot be run again.
        """
        try:
            self._process = PipedProcess([sys.executable, "-c", BOOT, digest, str(size)])
        except OSError as error:
            raise ConnectionFailed(
                f"cannot run {sys.executable}: {error.strerror}", "check the installation"
            ) from None
        return 0

    def deadline(self, seconds: float) -> Callable[[], None]:
        """End the connection unless the returned function is called within ``seconds``."""
        return self.process.deadline(seconds)

    def failed(self, said: str) -> ConnectionFailed:
        """Why the agent did not start."""
        status = self.process.wait(2.0)
        words = last_line(self.process.stderr_text()) or said
        return ConnectionFailed(f"the agent did not start here (exit status {status}): {words}")

    def lost(self) -> ConnectionLost:
        """Why the streams ended."""
        status = self.process.wait(2.0)
        words = last_line(self.process.stderr_text())
        return ConnectionLost(
            f"the agent ended (exit status {status}){': ' + words if words else ''}", "run it again"
        )

    def close(self) -> None:
        """End the agent."""
        if self._process is not None:
            self._process.close()


def last_line(text: str) -> str:
    """The last line that says something, at most 200 characters."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
