"""A cluster of this machine's own: processes that live as long as the sweep, reached by nobody else."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, Nanny, Scheduler, SpecCluster
from distributed.security import Security

from edgenet.errors import LibraryError
from edgenet.sweeps.on_worker import LIMITS

__all__ = ["LocalCluster"]

HOST = "127.0.0.1"
# One job at a time in each process, and each within one core.
BUILDING = {"build": 1.0}
ONE_THREAD = dict.fromkeys(LIMITS, "1")
# After so many workers died of a job it is given up.
DEATHS = 3
LOGGERS = ("distributed", "distributed.client", "tornado.application")
QUIET = {"logging.distributed": "critical", "distributed.worker.http.routes": []}
# Dask's own environment for workers would reach the agent of a board that is this machine.
SETTINGS: dict[str, Any] = {
    "distributed.scheduler.http.routes": [],
    "distributed.nanny.pre-spawn-environ": {},
}
STARTUP_S, CLOSE_S = 60, 10


class LocalCluster:
    """Processes on this machine's loopback, with keys that only they know.

    Args:
        workers: How many.
        boards: Resource names; each is given to one worker, which has a thread for it beside its builds.

    Attributes:
        client: What jobs are handed to.
        address: None: its processes see this machine's files.
        building: What every job takes that needs no board, so that a worker builds one network at a time.

    Raises:
        LibraryError: It does not start.
    """

    address: str | None = None

    def __init__(self, workers: int, boards: Sequence[str]) -> None:
        for name in LOGGERS:  # what happens to a job is told by its outcome
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.building = dict(BUILDING)
        self._cluster: SpecCluster | None = None
        self.client: Client | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="edgenet-sweep-", ignore_cleanup_errors=True)
        security = Security.temporary()
        common = {"host": HOST, "protocol": "tls://", "security": security, "dashboard": False}
        scheduler = {
            "cls": Scheduler,
            "options": common | {"dashboard_address": f"{HOST}:0", "allowed_failures": DEATHS - 1},
        }
        own = {
            at: [name for index, name in enumerate(boards) if index % workers == at] for at in range(workers)
        }
        nannies = {at: {"cls": Nanny, "options": common | self._options(names)} for at, names in own.items()}
        settings = SETTINGS | {"temporary-directory": self._scratch.name}
        try:
            with _without_interrupts(), dask.config.set(settings):
                self._cluster = SpecCluster(nannies, scheduler, security=security)
                self.client = Client(self._cluster, security=security, set_as_default=False)
        except Exception as error:
            self.close()
            raise LibraryError(
                f"processes that build beside each other do not start ({type(error).__name__}: {error})",
                "give --workers 1; a script of your own must start its work under if __name__ == '__main__'",
            ) from None
        except BaseException:
            self.close()
            raise

    def _options(self, boards: Sequence[str]) -> dict[str, Any]:
        return {
            "nthreads": 1 + len(boards),
            "resources": BUILDING | dict.fromkeys(boards, 1),
            "memory_limit": 0,
            "local_directory": self._scratch.name,
            "env": ONE_THREAD | {"TMPDIR": self._scratch.name},  # what a killed one leaves goes with the rest
            "config": QUIET,
            "preload": "edgenet.sweeps.on_worker",
            "silence_logs": logging.CRITICAL,
            "death_timeout": STARTUP_S,
        }

    def close(self) -> None:
        """End the processes, whatever they are doing, and remove what they wrote."""
        for nanny in self._cluster.workers.values() if self._cluster else ():
            nanny.auto_restart = False
            if nanny.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        for item in (self.client, self._cluster):
            with contextlib.suppress(Exception):  # its processes are gone already, and it says so
                item and item.close(timeout=CLOSE_S)
        self._scratch.cleanup()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C is for this process, and for none that is started here: they inherit what their thread blocks.

    One that comes meanwhile is delivered at the end.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # where it is the first child, it ends what was blocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
