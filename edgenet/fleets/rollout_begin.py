"""Where a rollout begins: anew, or where the one in the state file stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from edgenet.board import Board
from edgenet.errors import EXIT_DONE, DataError
from edgenet.fleets.rollout_state import (
    DONE,
    ON_NEW,
    OURS,
    ROLLED_BACK,
    ROLLING_BACK,
    RUNNING,
    SCHEMA,
    Rollout,
    RolloutBoard,
)

__all__ = ["begun"]


def begun(
    saved: Rollout | None,
    request: Mapping[str, str],
    plan: Sequence[Sequence[Board]],
    notes: Sequence[str],
) -> Rollout:
    """The rollout to go on with.

    Args:
        saved: What the state file holds.
        request: Digests of what is asked for.
        plan: The boards of each wave.
        notes: Of the fleet.

    Returns:
        The saved one, if it is the same and was not taken back; else a new one.

    Raises:
        DataError: The saved one is another, did not end, and switched boards: what they ran would be
            forgotten. Or it is this one, but of other boards: somebody else wrote in it.
    """
    rows = tuple(
        RolloutBoard(board=str(board), device=board.device, wave=number)
        for number, wave in enumerate(plan)
        for board in wave
    )
    if saved is not None and saved.phase != ROLLED_BACK and saved.request == request:
        if _places(saved.boards) != _places(rows):
            raise DataError(
                "the state file lists other boards than its rollout was begun with: it was edited",
                "put it back as it was, or begin anew with --fresh",
            )
        return saved.changed(asked_back=False) if saved.phase == ROLLING_BACK else _resumed(saved)
    if saved is not None and saved.phase not in (DONE, ROLLED_BACK) and saved.to_return():
        raise DataError(f"a rollout {_of_other(saved, request)} has not ended", _remedy(saved))
    return Rollout(
        schema=SCHEMA,
        request=request,
        phase=RUNNING,
        began=round(time.time(), 3),
        boards=rows,
        notes=tuple(notes),
    )


def _places(rows: Sequence[RolloutBoard]) -> set[tuple[str, str, int]]:
    return {(row.board, row.device, row.wave) for row in rows}


def _resumed(saved: Rollout) -> Rollout:
    """A saved rollout, to be gone on with: what failed is tried again; what was switched is known to be."""
    rows = tuple(
        row.changed(exit_code=EXIT_DONE, reason=None, remedy=None)
        if row.state in (*OURS, *ON_NEW)
        else RolloutBoard(board=row.board, device=row.device, wave=row.wave)
        for row in saved.boards
    )
    return saved.changed(phase=RUNNING, boards=rows)


def _of_other(saved: Rollout, request: Mapping[str, str]) -> str:
    """In what they differ."""
    other = [name for name in request if saved.request.get(name) != request[name]]
    return f"with other {' and '.join(other)}"


def _remedy(saved: Rollout) -> str:
    switched = f"it switched {len(saved.to_return())} of {len(saved.boards)} boards"
    ways = "end it by its own command, take it back by --rollback without a bundle, or forget it with --fresh"
    return f"{switched}: {ways}"
