"""A cluster that the user runs: joined, and left as it was."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from distributed import Client

from edgenet.errors import ConnectionFailed, PlanError
from edgenet.sweeps.on_worker import made_there
from edgenet.sweeps.same_edgenet import different

__all__ = ["JoinedCluster"]

ANSWERS_S = 10.0


class JoinedCluster:
    """The cluster of a scheduler.

    Args:
        address: ``tcp://HOST:PORT``, or ``tls://`` with Dask's own settings for keys.

    Attributes:
        client: What jobs are handed to.
        building: Any worker may build.

    Raises:
        ConnectionFailed: No scheduler answers there.
        PlanError: Scheduler or workers have another edgenet.
    """

    def __init__(self, address: str) -> None:
        self.address: str | None = address
        self.building: dict[str, float] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other versions of Dask work together, or fail in words
                self.client = Client(address, timeout=ANSWERS_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            what = f"no scheduler of Dask answers at {address} ({type(error).__name__})"
            raise ConnectionFailed(what, "start one with dask scheduler, or correct --scheduler") from None
        try:
            self._check()
        except BaseException:
            self.client.close()
            raise

    def close(self) -> None:
        """Leave it."""
        self.client.close()

    def _check(self) -> None:
        found: dict[str, Any] = {}
        try:
            found["the scheduler"] = self.client.run_on_scheduler(made_there)
        except Exception as error:
            found["the scheduler"] = error
        workers = self.client.run(made_there, on_error="return")
        found.update({f"the worker {name}": told for name, told in workers.items()})
        for who, told in found.items():
            if not isinstance(told, Mapping):
                raise PlanError(
                    f"{who} at {self.address} cannot load edgenet ({type(told).__name__}: {told})",
                    'install the same edgenet there, with pip install "edgenet[sweep]"',
                )
            what, remedy = different(who, told)
            if what:
                raise PlanError(what, remedy)
