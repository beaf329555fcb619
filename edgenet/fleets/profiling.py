"""A fleet's deployments → a fleet report: each board measures what it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.errors import EXIT_OVER_LIMIT, DeviceError
from edgenet.fleet import Fleet
from edgenet.fleet_report import SCHEMA, FleetBoard, FleetReport, state_of
from edgenet.fleets.each import AT_ONCE, BoardProgress, Outcome, each, unheard
from edgenet.fleets.machines import Machines
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.report import Report
from edgenet.steps.asked import Asked, asked_of, with_truth
from edgenet.steps.profile import measured
from edgenet.steps.taken import BundleLike, builds_of, fleet_of

__all__ = ["exit_code", "fleet_report", "missed", "profile_fleet", "profiling"]


def profile_fleet(
    bundles: Iterable[BundleLike] | BundleLike,
    fleet: Fleet | Path | str,
    protocol: Protocol | Path | str = "single-stream",
    val: ImageSet | Path | str | None = None,
    min_fps: float | None = None,
    max_drift: float | None = None,
    tell: BoardProgress = unheard,
    frame: Frame | str | None = None,
    *,
    at_once: int = AT_ONCE,
) -> FleetReport:
    """Measure on every board of a fleet what it runs; one that fails stops no other.

    Args:
        bundles: Builds of one model; each board measures the one that is deployed there.
        fleet: The boards, or the file that lists them.
        protocol: As for ``profile``.
        val: As for ``profile``; the float model runs on them once, for all boards.
        min_fps: As for ``profile``, for each board.
        max_drift: As for ``profile``, for each board.
        tell: Called for every stage of every board, from threads.
        frame: As for ``profile``.
        at_once: How many boards are worked on at the same time.

    Raises:
        BundleError, LibraryError: A file cannot be read.
        DataError: The bundles are not of one model, or the images cannot be used.

    Examples:
        >>> found = edgenet.profile_fleet("signs.edgenet", edgenet.Fleet.of("local"), "quick")
        >>> [(row.board, row.state) for row in found.boards]
        [('local', 'done')]
        >>> found.write("fleet.json")
    """
    asked = asked_of(protocol, val, min_fps, max_drift, frame)
    return fleet_report(each(fleet_of(fleet).boards, profiling(bundles, asked), tell, at_once))


def profiling(
    bundles: Iterable[BundleLike] | BundleLike, asked: Asked, progress: Progress = silent
) -> Callable[[Board, Progress], Report]:
    """What measures, on a board of a fleet, that of some bundles which runs there.

    What the float model says on the images is found out here, once for all boards.

    Args:
        bundles: Builds of one model.
        asked: What is to be measured.
        progress: Called while the float model runs.

    Returns:
        Work for :func:`edgenet.fleets.each.each`; it raises as :func:`edgenet.steps.profile.profile` does.

    Raises:
        BundleError: One cannot be read.
        DataError: They are not of one model, or the images cannot be used.
    """
    loaded = builds_of(bundles)
    asked = with_truth(asked, loaded[0], progress)
    machines = Machines()

    def work(board: Board, tell: Progress) -> Report:
        with machines.connected(board, tell) as agent:
            return measured(agent, _deployed(agent, loaded, board), asked, str(board), tell)

    return work


def exit_code(report: Report) -> int:
    """As ``edgenet profile`` of this board alone ends."""
    return EXIT_OVER_LIMIT if report.over_limit else 0


def missed(report: Report) -> str:
    """The limits that do not hold, in words."""
    return "; ".join(limit.words for limit in report.verdict.limits if not limit.passed)


def fleet_report(outcomes: Sequence[Outcome[Report]]) -> FleetReport:
    """What was measured on which board, and why not on others."""
    return FleetReport(schema=SCHEMA, at=time.time(), boards=tuple(map(_board, outcomes)))


def _board(outcome: Outcome[Report]) -> FleetBoard:
    board, report, error = outcome.board, outcome.value, outcome.error
    code = outcome.exit_code if report is None else exit_code(report)
    reason = error.what if error else missed(report) if report else ""
    return FleetBoard(
        board=str(board),
        device=board.device,
        state=state_of(code),
        exit_code=code,
        seconds=round(outcome.seconds, 3),
        target=board.target or (report.device.target if report else None),
        tags=board.tags,
        reason=reason or None,
        remedy=(error.remedy or None) if error else None,
        report=report,
    )


def _deployed(agent: Agent, bundles: Sequence[Bundle], board: Board) -> Bundle:
    """The bundle that is current there, else the first that was deployed."""
    found = agent.deployments()
    there = [item.digest for item in found.deployments]
    for bundle in sorted(bundles, key=lambda item: item.digest != found.current):
        if bundle.digest in there:
            return bundle
    told = ", ".join(f"{bundle.name} ({bundle.digest[:12]})" for bundle in bundles)
    raise DeviceError(
        f"{board} has no deployment of {told}",
        "deploy to this fleet first: edgenet deploy with the same bundles",
    )
