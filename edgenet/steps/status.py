"""What is on a board: what is current, what came before it, who did what, what was measured last."""

from __future__ import annotations

from edgenet.board import BoardLike, board_of
from edgenet.devices.connect import connect
from edgenet.devices.upkeep_answers import BoardStatus
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events

__all__ = ["status"]


def status(device: BoardLike = "local", progress: Progress = silent, lines: int = 50) -> BoardStatus:
    """Ask a board what is deployed on it, and how that came.

    Args:
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        progress: Called where the board takes its time.
        lines: Of its history, 200 at most.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or does not answer.

    Examples:
        >>> found = edgenet.status("local")
        >>> found.current.name if found.current else None
        'signs.onnxruntime.int8'
    """
    board = board_of(device)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return agent.upkeep.status(lines)
