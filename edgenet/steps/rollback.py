"""Back to a build that the board still has."""

from __future__ import annotations

import time

from edgenet.board import BoardLike, board_of
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.progress import Progress, silent
from edgenet.steps.deploy import Deployment, switched
from edgenet.steps.events import board_events

__all__ = ["rollback", "rolled_back"]


def rollback(device: BoardLike = "local", to: str | None = None, progress: Progress = silent) -> Deployment:
    """Make an earlier deployment the current one again, at once and without sending anything of a model.

    The board first checks all that it needs: its file, byte for byte, and its runtime; what was current stays
    so where anything of it is missing or damaged. Rolling back twice leads to where one began.

    Args:
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        to: The digest of a deployment there, or how that begins; None for the one before the current one.
        progress: Called where the board takes its time.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.
        DeviceError: There is no such deployment, it is damaged, or another deploy is under way.

    Examples:
        >>> edgenet.rollback("pi@raspberrypi.local").name  # doctest: +SKIP
    """
    board, began = board_of(device), time.perf_counter()
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return rolled_back(agent, to, str(board), began, progress)


def rolled_back(
    agent: Agent, to: str | None, name: str, began: float, progress: Progress = silent
) -> Deployment:
    """:func:`rollback` on a board that answers.

    Args:
        agent: On the board.
        to: As for :func:`rollback`.
        name: The board's, for messages.
        began: When the work began, on ``time.perf_counter``'s clock.
        progress: Called where the board takes its time.

    Raises:
        ConnectionLost, DeviceError: As for :func:`rollback`.
    """
    found = agent.upkeep.switch(to, "rollback", progress=board_events(progress))
    return switched(agent, found, name, began)
