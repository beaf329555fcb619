"""Forget one deployment of a board."""

from __future__ import annotations

from edgenet.board import BoardLike, board_of
from edgenet.devices.connect import connect
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events

__all__ = ["remove"]


def remove(
    digest: str, device: BoardLike = "local", force: bool = False, progress: Progress = silent
) -> tuple[str, ...]:
    """Forget one deployment of a board, and what it alone uses.

    Args:
        digest: Its digest, or how that begins.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        force: Also the current one: the board has none then.
        progress: Called where the board takes its time.

    Returns:
        What was removed, in words.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.
        DeviceError: There is no such deployment, it is the current one, or a deploy is under way.

    Examples:
        >>> edgenet.remove("c3ae40ae712f", "pi@raspberrypi.local")  # doctest: +SKIP
    """
    board = board_of(device)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return agent.upkeep.remove(digest, force)
