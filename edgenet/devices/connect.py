"""From what the user wrote to a board that answers."""

from __future__ import annotations

from edgenet.board import BoardLike, board_of
from edgenet.devices.agent import Agent
from edgenet.devices.channel import OnEvent
from edgenet.devices.connection import Connection
from edgenet.devices.deadlines import DEADLINES
from edgenet.devices.local import LocalConnection
from edgenet.devices.ssh import SshConnection

__all__ = ["connect"]


def connect(device: BoardLike, waiting: OnEvent | None = None) -> Agent:
    """Start the agent on a board.

    Args:
        device: A board; ``local``, ``user@host``, ``user@host:port``, or an alias of the ssh config.
        waiting: Called with ``{"stage": "waiting for …"}`` where the board said nothing new for some seconds;
            from another thread, while the caller's one waits.

    Raises:
        ConnectionFailed: The board could not be reached, or cannot run the agent.
    """
    board = board_of(device)
    connection: Connection = LocalConnection(board) if board.device == "local" else SshConnection(board)
    return Agent(connection, DEADLINES, waiting)
