"""Clusters as users start them: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.house.tree import ROOT

PATIENCE_S = 60
QUIET = {"DASK_LOGGING__DISTRIBUTED": "critical", "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON": "{}"}


class UserCluster:
    """A scheduler, and workers that have homes, caches and working folders of their own."""

    def __init__(self, folder: Path, resources: tuple[str, ...]) -> None:
        self.folder, self._started = folder, list[subprocess.Popen[bytes]]()
        told = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--scheduler-file", str(told), "--host", "127.0.0.1")
        self.address = str(_once(lambda: _read(told))["address"])
        for number, given in enumerate(resources):
            self._start(f"worker-{number}", self.address, "--nthreads", "1", "--no-nanny", *_resources(given))

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        home = self.folder / name
        home.mkdir()
        kept = {key: value for key, value in os.environ.items() if key != "EDGENET_CACHE"}
        env = (
            kept | QUIET | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": str(ROOT)}
        )
        env |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1") | {"TMPDIR": str(home)}
        port = ("--port", "0") if name == "scheduler" else ("--local-directory", str(home))
        module = f"distributed.cli.dask_{name.partition('-')[0]}"
        command = [sys.executable, "-W", "ignore", "-m", module, *options, *port, "--no-dashboard"]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=home, env=env, stdout=log, stderr=log)
        self._started.append(process)
        return process

    def cache(self, number: int) -> Path:
        """Where a worker keeps what it got."""
        return self.folder / f"worker-{number}" / "cache" / "edgenet"

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def _resources(given: str) -> tuple[str, ...]:
    return ("--resources", given) if given else ()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _once(look: Any) -> Any:
    """What is there as soon as it is."""
    end = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        assert time.monotonic() < end, "it did not start"
        time.sleep(0.02)
    return found


def gone(pid: int) -> bool:
    """Whether a process is no more, or waits to be taken notice of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
