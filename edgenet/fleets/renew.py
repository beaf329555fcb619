"""One board of a rollout, forwards and back. What the board itself says corrects what the file says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from edgenet.agent import wire
from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from edgenet.errors import EdgenetError, HealthError
from edgenet.fleets.choose import chosen_by
from edgenet.fleets.fit_to_switch import fit_to_switch
from edgenet.fleets.rollout_job import RolloutJob
from edgenet.fleets.rollout_state import (
    FAILED,
    KEPT,
    ON_NEW,
    RETURNED,
    RETURNING,
    SWITCHED,
    SWITCHING,
    RolloutBoard,
)
from edgenet.progress import Progress
from edgenet.steps.events import board_events
from edgenet.steps.stage import stage

__all__ = ["renew", "take_back"]

# Why a board does not switch back now but may do so later; what else it answers will not mend itself.
_PASSING = (wire.NO_SPACE, wire.LOCKED)
# The words for both in the board's history.
_FORWARDS, _BACK = "rollout", "rollback"


def renew(board: Board, job: RolloutJob, progress: Progress) -> None:
    """Bring a board to the build of its kind, unless it runs that already; its row tells what came of it.

    Raises:
        EdgenetError: Why not; the row tells it too.
    """
    progress("connecting", 0, None)
    with _noted(board, job), connect(board, board_events(progress)) as agent:
        bundle = chosen_by(agent, job.bundles, board)
        id_, current = _asked(agent)
        job.file.claim(str(board), id_)
        row = job.row(board).found(id_, current.digest, current.name, bundle.digest)
        row = job.file.put(row.changed(name=bundle.name))
        if row.state not in ON_NEW and not job.options.dry_run:
            _bring(agent, bundle, row, job, progress)


def take_back(board: Board, job: RolloutJob, progress: Progress) -> None:
    """Return a board that this rollout switched, or may have, to exactly what it ran before.

    Raises:
        EdgenetError: Why not; the row tells it too.
    """
    progress("connecting", 0, None)
    with _noted(board, job), connect(board, board_events(progress)) as agent:
        id_, current = _asked(agent)
        row = job.file.put(job.row(board).taken_back(id_, current.digest))
        if row.state == RETURNING and not job.options.dry_run:
            progress("switching back", 0, None)
            job.file.put(_returned(agent, row))


def _bring(agent: Agent, bundle: Bundle, row: RolloutBoard, job: RolloutJob, progress: Progress) -> None:
    manifest = stage(agent, bundle, row.board, progress, job.options.offline).manifest
    agent.upkeep.place(manifest)
    try:
        row = fit_to_switch(agent, bundle, manifest, row, job, progress)
    except HealthError as error:
        agent.upkeep.note(_FORWARDS, bundle.digest, error.what.removeprefix(f"{row.board}: "))
        raise
    row = job.file.put(row.changed(state=SWITCHING))
    progress("switching", 0, None)
    try:
        agent.upkeep.switch(bundle.digest, _FORWARDS)
    except BoardError as error:
        if _asked(agent)[1].digest != bundle.digest:
            job.file.put(row.changed(state=FAILED))
            raise
        row = row.changed(reason=error.what)
    job.file.put(row.changed(state=SWITCHED))


def _returned(agent: Agent, row: RolloutBoard) -> RolloutBoard:
    try:
        agent.upkeep.switch(row.before, _BACK)
    except BoardError as error:
        if _asked(agent)[1].digest != row.before:
            if error.kind in _PASSING:
                raise
            stays = f"{error.what}; the new build stays, so that it runs something"
            return row.failed(error).changed(state=KEPT, reason=stays)
    return row.changed(state=RETURNED)


class _Current(NamedTuple):
    """Digest and name of what a board runs; both ``None`` where it runs nothing."""

    digest: str | None = None
    name: str | None = None


def _asked(agent: Agent) -> tuple[str | None, _Current]:
    """Which board answers, and what it runs."""
    status = agent.upkeep.status(lines=0)
    current = status.current
    return status.id, _Current() if current is None else _Current(current.digest, current.name)


@contextlib.contextmanager
def _noted(board: Board, job: RolloutJob) -> Iterator[None]:
    """What a board's work took, and why it failed, in its row."""
    began = time.monotonic()
    try:
        yield
    except EdgenetError as error:
        if getattr(error, "unasked", False) and not board.asks:
            raise  # a person may be asked yet
        job.file.put(job.row(board).failed(error).changed(seconds=_since(began)))
        raise
    job.file.put(job.row(board).changed(seconds=_since(began)))


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
