"""Two names of one machine: what is done twice there is done wrong, or measured beside itself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from edgenet.board import Board
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.errors import DeviceError
from edgenet.progress import Progress
from edgenet.steps.events import board_events

__all__ = ["Machines"]


class Machines:
    """The boards that answered so far, each by the id that its home has."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def connected(self, board: Board, progress: Progress) -> Iterator[Agent]:
        """The agent of a board that did not answer under another name before.

        Raises:
            ConnectionFailed: The board cannot be reached.
            DeviceError: It answered under another name before; both are named.
        """
        progress("connecting", 0, None)
        with connect(board, board_events(progress)) as agent:
            self._meet(board, agent)
            yield agent

    def _meet(self, board: Board, agent: Agent) -> None:
        found = agent.upkeep.status(1).id
        if found is None:  # its home cannot be written
            return
        with self._lock:
            other = self._names.setdefault(found, str(board))
        if other != str(board):
            raise DeviceError(
                f"{board} and {other} are one machine, with one home of edgenet's",
                "take one of them out of the fleet, or correct its address",
            )
