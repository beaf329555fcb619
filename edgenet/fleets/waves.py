"""Which boards of a fleet a rollout tries first, and which follow together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgenet.board import Board
from edgenet.errors import LibraryError

__all__ = ["SHARES", "waves"]

# Percent of the boards that are left when a wave begins.
SHARES = (10.0, 50.0, 100.0)


def waves(
    boards: Sequence[Board], canary: int | None = None, shares: Sequence[float] = SHARES
) -> tuple[tuple[Board, ...], ...]:
    """The canaries, then one wave after another.

    Canaries are the boards with a canary number, in that order; where more are asked for than have one, the
    first boards of kinds that are not among them yet, then the first of all others.

    Args:
        boards: Of the fleet, in its order.
        canary: How many are tried first; ``None`` for those with a number, or one where none has.
        shares: Percent of the boards that are left, rounded up; what is left at the end is a wave too.

    Returns:
        Waves that are not empty; every board is in one.

    Raises:
        LibraryError: A share is not above 0 and at most 100.
    """
    if wrong := [share for share in shares if not 0 < share <= 100]:
        raise LibraryError(f"a wave of {wrong[0]:g} % of the boards", "give --waves as 10,50,100")
    numbered = sum(board.canary is not None for board in boards)
    first = _canaries(boards, max(numbered, 1) if canary is None else canary)
    left = [board for board in boards if board not in first]
    found = [first]
    for share in (*shares, 100.0):
        count = math.ceil(len(left) * share / 100)
        found.append(left[:count])
        left = left[count:]
    return tuple(tuple(wave) for wave in found if wave)


def _canaries(boards: Sequence[Board], count: int) -> list[Board]:
    found = sorted(
        (board for board in boards if board.canary is not None), key=lambda board: board.canary or 0
    )
    kinds = {board.target for board in found}
    for board in boards:
        if board not in found and board.target not in kinds:
            kinds.add(board.target)
            found.append(board)
    return [*found, *(board for board in boards if board not in found)][:count]
