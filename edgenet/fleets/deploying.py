"""Bundles → a board of a fleet: it gets the build of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from edgenet.board import Board
from edgenet.devices.connect import connect
from edgenet.fleets.choose import chosen
from edgenet.progress import Progress
from edgenet.steps.deploy import Deployment, deployed
from edgenet.steps.events import board_events
from edgenet.steps.fastest import check_one_model
from edgenet.steps.taken import BundleLike, bundle_of, several

__all__ = ["deploying"]


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
    loaded = list({bundle.digest: bundle for bundle in map(bundle_of, several(bundles))}.values())
    check_one_model(loaded)
    backends = sorted({bundle.manifest.backend for bundle in loaded})

    def work(board: Board, progress: Progress) -> Deployment:
        began, name = time.perf_counter(), str(board)
        progress("connecting", 0, None)
        with connect(board, board_events(progress)) as agent:
            bundle = chosen(loaded, agent.facts(backends), board)
            return deployed(agent, bundle, name, began, progress, offline)

    return work
