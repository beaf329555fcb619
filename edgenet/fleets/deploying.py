"""Bundles → a board of a fleet: it gets the build of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from edgenet.board import Board
from edgenet.fleet import Fleet
from edgenet.fleets.choose import chosen_by
from edgenet.fleets.each import AT_ONCE, BoardProgress, Outcome, each, unheard
from edgenet.fleets.machines import Machines
from edgenet.progress import Progress
from edgenet.steps.deploy import Deployment, deployed
from edgenet.steps.taken import BundleLike, builds_of, fleet_of

__all__ = ["deploy_fleet", "deploying"]


def deploy_fleet(
    bundles: Iterable[BundleLike] | BundleLike,
    fleet: Fleet | Path | str,
    tell: BoardProgress = unheard,
    offline: bool = False,
    at_once: int = AT_ONCE,
) -> tuple[Outcome[Deployment], ...]:
    """Make the build of its kind the current deployment of every board; one that fails stops no other.

    Args:
        bundles: Builds of one model, the preferred ones first. Each board gets the first that was made for
            its kind and can run there.
        fleet: The boards, or the file that lists them.
        tell: Called for every stage of every board, from threads.
        offline: As for ``deploy``.
        at_once: How many boards are worked on at the same time.

    Returns:
        For each board, in the fleet's order, its deployment, or the error that ``deploy`` would have raised.

    Raises:
        BundleError, LibraryError: A file cannot be read.
        DataError: The bundles are not of one model.

    Examples:
        >>> kitchen = edgenet.Board("local", name="kitchen", tags=("pilot",))
        >>> done = edgenet.deploy_fleet("signs.edgenet", edgenet.Fleet.of(kitchen).limited("tag=pilot"))
        >>> [(str(item.board), item.exit_code, item.value.name) for item in done]
        [('kitchen', 0, 'signs.onnxruntime.int8')]
    """
    return each(fleet_of(fleet).boards, deploying(bundles, offline), tell, at_once)


def deploying(
    bundles: Iterable[BundleLike] | BundleLike, offline: bool = False
) -> Callable[[Board, Progress], Deployment]:
    """What deploys to a board the first of some bundles that was made for its kind and can run there.

    Args:
        bundles: Builds of one model, the preferred ones first.
        offline: As for :func:`edgenet.steps.deploy.deploy`.

    Returns:
        Work for :func:`edgenet.fleets.each.each`; besides what ``deploy`` raises, DeviceError where no bundle
        fits or a board is not what its fleet says.

    Raises:
        BundleError: One cannot be read.
        DataError: They are not of one model.
    """
    loaded = builds_of(bundles)
    machines = Machines()

    def work(board: Board, progress: Progress) -> Deployment:
        began, name = time.perf_counter(), str(board)
        with machines.connected(board, progress) as agent:
            bundle = chosen_by(agent, loaded, board)
            return deployed(agent, bundle, name, began, progress, offline)

    return work
