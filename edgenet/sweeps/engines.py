"""Which engine works on a sweep's jobs."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence

from edgenet.errors import PlanError
from edgenet.sweeps.engine import Engine, Here
from edgenet.threads import usable_threads

__all__ = ["engine_for"]

# What the extra "sweep" brings.
NEEDED = ("distributed", "cryptography")
ADDRESS = re.compile(r"(?:tcp|tls|ucx|wss?)://\S+:\d+")
INSTALL = 'pip install "edgenet[sweep]"'


def engine_for(scheduler: str | None, workers: int | None, boards: Sequence[str]) -> Engine:
    """The engine for a sweep; none starts anything before its first job.

    Args:
        scheduler: Address of the user's own cluster.
        workers: Processes of this machine; 1 for none beside this one, ``None`` for one a core.
        boards: Those that will be measured on, as the user wrote them.

    Raises:
        PlanError: A cluster is asked for and Dask is not installed, or its address is none.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and (scheduler is not None or (workers or 1) > 1):
        asked = f"the scheduler {scheduler}" if scheduler is not None else f"a cluster of {workers} workers"
        raise PlanError(f"{asked} needs Dask ({' and '.join(missing)} not installed)", INSTALL)
    if scheduler is not None:
        _check_address(scheduler)
        return _joined(scheduler)
    count = usable_threads() if workers is None else workers
    return Here() if missing or count <= 1 else _local(count, boards)


def _check_address(scheduler: str) -> None:
    if not ADDRESS.fullmatch(scheduler):
        what = f"{scheduler} is no address of a scheduler"
        raise PlanError(what, "write it as tcp://HOST:8786, as dask scheduler prints it")


def _joined(scheduler: str) -> Engine:
    from edgenet.sweeps.joined_cluster import JoinedCluster
    from edgenet.sweeps.on_dask import OnDask

    return OnDask(lambda: JoinedCluster(scheduler))


def _local(workers: int, boards: Sequence[str]) -> Engine:
    from edgenet.sweeps.local_cluster import LocalCluster
    from edgenet.sweeps.on_dask import OnDask, resource

    return OnDask(lambda: LocalCluster(workers, [resource(board) for board in boards]))
