"""Two names of one machine: it would be deployed to twice, and measured beside itself."""

from __future__ import annotations

import threading

from edgenet.board import Board
from edgenet.devices.agent import Agent
from edgenet.errors import DeviceError

__all__ = ["Machines"]


class Machines:
    """The boards that answered so far, each by the id that its home has."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def meet(self, board: Board, agent: Agent) -> None:
        """Take notice of a board that answers.

        Raises:
            DeviceError: It answered under another name before; both are named.
        """
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
