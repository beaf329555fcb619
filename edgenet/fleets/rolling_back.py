"""Back to an earlier build on each board of a fleet."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgenet.board import Board
from edgenet.fleets.machines import Machines
from edgenet.progress import Progress
from edgenet.steps.deploy import Deployment
from edgenet.steps.rollback import rolled_back

__all__ = ["rolling_back"]


def rolling_back(to: str | None = None) -> Callable[[Board, Progress], Deployment]:
    """What makes an earlier deployment of a board the current one again.

    A machine of two names is rolled back once: the second time would lead to where it began.

    Args:
        to: As for :func:`edgenet.steps.rollback.rollback`.

    Returns:
        Work for :func:`edgenet.fleets.each.each`; besides what ``rollback`` raises, DeviceError where a board
        answered under another name before.
    """
    machines = Machines()

    def work(board: Board, progress: Progress) -> Deployment:
        began = time.perf_counter()
        with machines.connected(board, progress) as agent:
            return rolled_back(agent, to, str(board), began, progress)

    return work
