"""Free space on a board: forget old deployments."""

from __future__ import annotations

from edgenet.board import BoardLike, board_of
from edgenet.devices.connect import connect
from edgenet.errors import LibraryError
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events

__all__ = ["prune"]


def prune(device: BoardLike = "local", keep: int = 2, progress: Progress = silent) -> tuple[str, ...]:
    """Forget all deployments of a board but the current one and the newest others.

    What nothing uses any more goes too: runtimes, engines, and parts of transfers that were broken off.

    Args:
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        keep: How many deployments stay, the current one among them; at least 1.
        progress: Called where the board takes its time.

    Returns:
        What was removed, in words.

    Raises:
        LibraryError: ``keep`` is below 1.
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.
        DeviceError: A deploy is under way.

    Examples:
        >>> edgenet.prune("pi@raspberrypi.local", keep=2)  # doctest: +SKIP
    """
    if keep < 1:
        raise LibraryError(f"keep is {keep}, and the current deployment always stays", "keep 1 or more")
    board = board_of(device)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return agent.upkeep.prune(keep)
