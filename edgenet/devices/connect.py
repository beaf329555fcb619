"""From what the user wrote to a board that answers."""

from __future__ import annotations

from edgenet.devices.agent import Agent
from edgenet.devices.channel import OnEvent
from edgenet.devices.connection import Connection
from edgenet.devices.deadlines import DEADLINES
from edgenet.devices.local import LocalConnection
from edgenet.devices.ssh import SshConnection

__all__ = ["connect"]


def connect(device: str, waiting: OnEvent | None = None) -> Agent:
    """Start the agent on a board.

    Args:
        device: ``local``, ``user@host``, ``user@host:port``, or an alias of the user's ssh config.
        waiting: Called with ``{"stage": "waiting for …"}`` where the board said nothing new for some seconds;
            from another thread, while the caller's one waits.

    Raises:
        ConnectionFailed: The board could not be reached, or cannot run the agent.
    """
    connection: Connection = LocalConnection() if device == "local" else SshConnection(device)
    return Agent(connection, DEADLINES, waiting)
