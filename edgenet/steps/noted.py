"""What a board's history is told of work that failed or was measured; telling it never fails the work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.upkeep_answers import LastReport
from edgenet.errors import ConnectionLost, DeviceError, EdgenetError
from edgenet.log import log
from edgenet.report import Report

__all__ = ["failures_noted", "note_report"]


@contextlib.contextmanager
def failures_noted(agent: Agent, bundle: Bundle, what: str = "deploy") -> Iterator[None]:
    """Within it a board that cannot do what is asked gets a line of that; the error goes on.

    Args:
        agent: On the board.
        bundle: What it should run.
        what: The word for it.
    """
    try:
        yield
    except ConnectionLost:
        raise
    except DeviceError as error:
        with _never_fails():
            agent.upkeep.note(what, bundle.digest, error.what, name=bundle.name)
        raise


def note_report(agent: Agent, bundle: Bundle, report: Report) -> None:
    """Leave the figures of a measurement on the board, where ``status`` finds them."""
    told = LastReport(
        at=round(time.time()),
        digest=bundle.digest,
        fps=report.fps.model,
        p99_ms=report.latency_ms.p99,
        verdict=report.verdict.state,
    )
    with _never_fails():
        agent.upkeep.note("profile", bundle.digest, "ok", told.to_table(), bundle.name)


@contextlib.contextmanager
def _never_fails() -> Iterator[None]:
    try:
        yield
    except EdgenetError as error:
        log.debug("not told to the board: %s", error)
