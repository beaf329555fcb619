"""A sweep's jobs on a cluster of Dask: this machine's own, or the user's."""

from __future__ import annotations

import contextlib
import queue
import re
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import dask
from distributed import CancelledError, Client, Future
from distributed.scheduler import KilledWorker

from edgenet.cache import made_by
from edgenet.errors import ConnectionLost, DataError, DeviceError, EdgenetError, PlanError
from edgenet.sweeps.engine import Outcome
from edgenet.sweeps.on_worker import Foreign, Missing, perform
from edgenet.sweeps.parcel import Parcel
from edgenet.sweeps.same_edgenet import different
from edgenet.sweeps.sending import send

__all__ = ["Cluster", "OnDask", "resource"]

AGAIN = "run it again: finished work is kept"
# Seconds between two looks at whether the cluster still is what it was.
LOOK_S = 0.5
# Jobs are as large as the networks in them.
LARGE = {"distributed.admin.large-graph-warning-threshold": "1 GiB"}
# Times that images are sent for one job.
SENDINGS = 3
LOST = ("cancelled", "lost")


class Cluster(Protocol):
    """Who works.

    Attributes:
        client: What jobs are handed to.
        address: Of its scheduler, for people; ``None`` of this machine's own processes, which see its files.
        building: Resources that a job takes which needs no board.
    """

    client: Client
    address: str | None
    building: dict[str, float]

    def close(self) -> None:
        """End what was started."""
        ...


class OnDask:
    """Runs jobs on workers; see :class:`edgenet.sweeps.engine.Engine`. Threads may share it.

    Args:
        start: Begins, or joins, the cluster; called with the first job.
        patience: Seconds to wait for a worker that could do a job.
    """

    def __init__(self, start: Callable[[], Cluster], patience: float = 60.0) -> None:
        self._start, self._patience = start, patience
        self._lock = threading.Lock()
        self._cluster: Cluster | None = None
        self._sending = tempfile.TemporaryDirectory(prefix="edgenet-", ignore_cleanup_errors=True)

    def run(
        self, work: Callable[[Any], Any], jobs: Sequence[Any], board: str | None = None
    ) -> Iterator[Outcome]:
        """As :meth:`edgenet.sweeps.engine.Engine.run`.

        Raises:
            ConnectionFailed: No scheduler answers.
            ConnectionLost: The scheduler went away; what was given until then stays true.
            DeviceError: There is no worker that could do a job.
            PlanError: A worker's edgenet is another.
        """
        if not jobs:
            return iter(())
        with self._lock:
            self._cluster = self._cluster or self._start()
        return _Run(self._cluster, self._images_to, work, jobs, board, self._patience).outcomes()

    def close(self) -> None:
        """Give the cluster's jobs up, and end this machine's own processes."""
        with self._lock:
            if self._cluster is not None:
                self._cluster.close()
                self._cluster = None
        self._sending.cleanup()

    def _images_to(self, missing: Missing) -> None:
        """Send images to a worker that lacks them."""
        assert self._cluster is not None
        for images in missing.images:
            archive = Path(self._sending.name) / f"{images.digest}.zip"
            with self._lock:
                if not archive.exists():
                    images.pack(archive)
            send(self._cluster.client, archive, images, missing.worker)


class _Run:
    """Some jobs on their way."""

    def __init__(
        self,
        cluster: Cluster,
        images_to: Callable[[Missing], None],
        work: Callable[[Any], Any],
        jobs: Sequence[Any],
        board: str | None,
        patience: float,
    ) -> None:
        self._cluster, self._client, self._images_to = cluster, cluster.client, images_to
        self._work, self._jobs, self._board = work, jobs, board
        self._patience, self._waiting_since = patience, time.monotonic()
        self._pending = deque(range(len(jobs)))
        self._running: dict[Future, int] = {}
        self._sendings: Counter[int] = Counter()
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()

    def outcomes(self) -> Iterator[Outcome]:
        """Those of all jobs, as they come."""
        try:
            while self._pending or self._running:
                room = self._room()
                while self._pending and len(self._running) < room:
                    failed = self._submit(self._pending.popleft())
                    if failed is not None:
                        yield failed
                for future in self._finished():
                    outcome = self._outcome(future, self._running.pop(future))
                    if outcome is not None:
                        yield outcome
        finally:
            with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to cancel
                self._client.cancel(list(self._running))

    def _room(self) -> int:
        """How many jobs are on their way at once: one a worker's thread, so that the rest can be dropped."""
        if self._board is not None:
            return 1
        building = self._cluster.building
        threads = self._asked(self._client.nthreads)
        return max(1, len(threads) if building else sum(threads.values()))

    def _submit(self, index: int) -> Outcome | None:
        """Send a job on its way; what came of it where it cannot go."""
        try:
            job = self._jobs[index]
            if self._cluster.address is not None and hasattr(job, "portable"):
                job = job.portable()
            parcel = Parcel.of((self._work, job))
        except Exception as error:
            return Outcome(index, error=error)
        needs = {resource(self._board): 1.0} if self._board is not None else self._cluster.building
        key = f"edgenet-{uuid.uuid4().hex}"
        given = {"key": key, "resources": needs or None, "pure": False}
        with dask.config.set(LARGE):
            future = self._asked(lambda: self._client.submit(perform, parcel, made_by(), **given))
        self._running[future] = index
        future.add_done_callback(self._done.put)
        return None

    def _finished(self) -> list[Future]:
        """Those that are done, after a moment at most.

        Raises:
            ConnectionLost: They cannot be any more.
            DeviceError: No worker is there that could.
        """
        done = []
        with contextlib.suppress(queue.Empty):
            done.append(self._done.get(timeout=LOOK_S))
        if self._client.status != "running" or any(item.status in LOST for item in self._running):
            raise self._lost()
        if done:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since > self._patience:
            self._check_workers()
            self._waiting_since = time.monotonic()
        return done

    def _check_workers(self) -> None:
        where = self._cluster.address
        workers = self._asked(lambda: self._client.scheduler_info(n_workers=-1))["workers"].values()
        if not workers and where is None:
            raise DeviceError("the processes that build ended and do not start again", "give --workers 1")
        if not workers:
            raise DeviceError(
                f"no worker is there at {where}", f"start one: dask worker {where} --nthreads 1"
            )
        if self._board is not None:
            needed = resource(self._board)
            if not any(needed in item["resources"] for item in workers):
                if where is None:
                    raise DeviceError(
                        f"the process that measures {self._board} ended and does not start again",
                        "run it again",
                    )
                command = f'dask worker {where} --nthreads 1 --resources "{needed}=1"'
                raise DeviceError(
                    f"no worker at {where} has {self._board}", f"start one where it is reached: {command}"
                )

    def _asked(self, question: Callable[[], Any]) -> Any:
        """What the scheduler answers; whatever it is that Dask raises where there is none any more."""
        try:
            return question()
        except Exception:
            raise self._lost() from None

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(f"the scheduler {self._cluster.address or 'here'} went away", AGAIN)

    def _outcome(self, future: Future, index: int) -> Outcome | None:
        """What came of a job; ``None`` where it is to be done again."""
        try:
            found = future.result().open()
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            what = f"{deaths} workers died while they did it (killed, or out of memory)"
            return Outcome(index, error=DeviceError(what, "give fewer --workers, or some with more memory"))
        except (CancelledError, OSError):  # errors of the job come as what it gave
            raise self._lost() from None
        except Exception as error:
            if self._client.status != "running":
                raise self._lost() from None
            return Outcome(index, error=error)
        if isinstance(found, Foreign):
            raise PlanError(*different(f"the worker {found.worker}", found.made_by))
        if isinstance(found, Missing):
            return self._sent(found, index)
        return Outcome(index, found.value, found.error)

    def _sent(self, missing: Missing, index: int) -> Outcome | None:
        """Send what a job's worker lacks and do it again; what came of it where that does not help."""
        self._sendings[index] += 1
        try:
            self._images_to(missing)
        except (EdgenetError, OSError) as error:  # another worker may have room, or live
            if self._sendings[index] >= SENDINGS:
                return Outcome(index, error=error)
        if self._sendings[index] > SENDINGS:
            what = f"{missing.images[0].folder}: sent to {missing.worker}, and not there"
            return Outcome(index, error=DataError(what, "look at the cache folder there"))
        self._pending.appendleft(index)
        return None


def resource(board: str) -> str:
    """What a board is called among the resources of workers: "board-pi-raspberrypi" for pi@raspberrypi."""
    return "board-" + re.sub(r"[^A-Za-z0-9]+", "-", board).strip("-")
