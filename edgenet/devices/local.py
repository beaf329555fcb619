"""This machine as a board: the same agent, without ssh."""

from __future__ import annotations

import os
import sys

from edgenet.board import Board
from edgenet.devices.bootstrap import BOOT
from edgenet.devices.process import PipedConnection, PipedProcess
from edgenet.errors import ConnectionFailed, ConnectionLost
from edgenet.log import log
from edgenet.pages import page
from edgenet.text import last_line

__all__ = ["LocalConnection"]


class LocalConnection(PipedConnection):
    """The agent in a process of its own, run by this Python."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.name, self._board = str(board), board

    def start(self, digest: str, size: int) -> int:
        """Start the bootstrap; returns 0: nothing is sent.

        Raises:
            ConnectionFailed: This Python cannot be run again, or this is Windows, where no agent runs.
        """
        if os.name == "nt":
            raise ConnectionFailed(
                "this machine runs Windows, and what edgenet runs on a board needs Linux or macOS",
                f"give a board, --device user@host, or use edgenet within WSL: {page('install', 'windows')}",
            )
        python = os.path.expanduser(self._board.python) or sys.executable
        home = os.path.expanduser(self._board.home)
        log.debug("run the agent here with %s", python)
        try:
            self._process = PipedProcess(
                [python, "-E", "-c", BOOT, digest, str(size)],
                {**os.environ, "EDGENET_HOME": home} if home else None,
            )
        except OSError as error:
            raise ConnectionFailed(
                f"cannot run {python}: {error.strerror}", "check the installation"
            ) from None
        return 0

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
