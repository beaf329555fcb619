"""A fleet that goes wrong: boards with one fault each, a host that is killed, and what must be true then.

For any number of boards, whether they are processes of this machine or behind servers of their own: a fault
is a change of a :class:`edgenet.board.Board`, and its wrapper a program in place of the board's Python.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgenet.agent.preprocess import encode_ppm, pixels_of
from edgenet.arrays import array_bytes
from edgenet.board import Board
from edgenet.bundle import Bundle, pack
from edgenet.files import sha256
from edgenet.fleet import Fleet
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_file import saved_rollout
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.fleets.rollout_state import ON_NEW, Rollout
from edgenet.preprocessing import Preprocessing
from tests.manifests import manifest

ARM = platform.machine() in ("aarch64", "arm64", "armv7l")
# What this machine is, and what a board of another kind says that it is.
OWN, OTHER = ("raspberry-pi-4", "x86_64") if ARM else ("rtx-laptop", "aarch64")
# Refuses where its owner put a file named ``ill`` into the board's home.
CHECK = 'test ! -e "$(dirname "$EDGENET_MANIFEST")/../../ill" || { echo the camera is dark; exit 3; }'
FAULTS = ("unreachable", "full", "foreign", "ill", "cut", "contradicted")
# Those after which a board is fit again by itself.
PASSING = ("cut", "astray")


def null_bundle(name: str, bytes_: int = 0, honest: bool = True) -> Bundle:
    """As :func:`null_file`, read."""
    return Bundle.parse(null_file(name, bytes_, honest))


def null_file(name: str, bytes_: int = 0, honest: bool = True) -> bytes:
    """A bundle's file for the do-nothing runtime, with golden images and the answers that it gives to them.

    Args:
        name: Of its model.
        bytes_: Of ballast in the artifact, which nothing packs.
        honest: Whether the answers are that runtime's; else a board that runs it fails its health check.
    """
    random = np.random.default_rng(len(name))
    ballast = random.bytes(bytes_ // 2).hex()
    data = f'{{"shape": [1, 8, 8, 3], "outputs": 5, "of": "{name}", "ballast": "{ballast}"}}'.encode()
    about = {**manifest(name, "null", "a.json", "a.json"), "target": OWN}
    how = Preprocessing.from_table(about["preprocessing"], "faults.py")
    images = [encode_ppm(random.integers(0, 256, (8, 8, 3)).astype(np.uint8)) for _ in range(3)]
    pixels = [np.ascontiguousarray(pixels_of(image, how.fit_spec()), np.uint8) for image in images]
    sums = np.array([int(item.sum(dtype=np.int64)) for item in pixels])
    answers = ((sums[:, None] + np.arange(5)) % 256 - 128).astype(np.int8)
    files = {f"golden/{number}.ppm": image for number, image in enumerate(images)}
    listed = [
        {"file": file, "pixels_sha256": sha256(item.tobytes())}
        for file, item in zip(files, pixels, strict=True)
    ]
    about["golden"] = {"source": "synthetic", "images": listed}
    files["golden/artifact.npy"] = array_bytes(answers if honest else -answers[:, ::-1] // 2)
    return pack(about, {"a.json": data, **files})


def local_boards(folder: Path, count: int, first: Path | None = None) -> list[Board]:
    """Boards that are processes of this machine, each with a home of its own.

    Args:
        folder: Where their homes are.
        count: How many.
        first: A home to copy, in which the old build was deployed once.
    """
    boards = []
    for number in range(count):
        home = folder / f"home-{number}"
        if first is not None:
            shutil.copytree(first, home, symlinks=True, ignore=shutil.ignore_patterns("board.json"))
        boards.append(Board("local", name=f"b{number}", home=str(home)))
    return boards


def spoiled(board: Board, fault: str, folder: Path, bytes_: int) -> Board:
    """A board with a fault of :data:`FAULTS`.

    Args:
        board: A good one; ``home`` is a path of this machine.
        fault: "unreachable": nobody answers; "full": its card takes no more than half of the artifact;
            "foreign": it has another processor than the bundle was made for; "contradicted": than its fleet
            says; "ill": its owner's check refuses; "cut": its connection breaks once, amid the artifact;
            "astray": its clock says 1970, which is no failure.
        folder: For wrappers.
        bytes_: Of the artifact.
    """
    python = board.python or sys.executable
    if fault == "unreachable":
        local = board.device == "local"
        gone = replace(board, python=str(folder / "no-python"))
        return (
            gone
            if local
            else replace(board, device="nobody@127.0.0.1:9", ssh_options=("-o", "BatchMode=yes"))
        )
    if fault == "contradicted":
        return replace(board, target="jetson-nano" if not ARM else "rtx-laptop")
    if fault == "ill":
        Path(board.home).mkdir(0o700, parents=True, exist_ok=True)
        (Path(board.home) / "ill").touch()
        return board
    wrapper = folder / f"{fault}-{board.name}"
    wrapper.write_text(_WRAPPERS[fault](python, wrapper, bytes_))
    wrapper.chmod(0o755)
    return replace(board, python=str(wrapper))


def _full(python: str, wrapper: Path, bytes_: int) -> str:
    return f'#!/bin/sh\nulimit -f {bytes_ // 1024}\nexec {shlex.quote(python)} "$@"\n'


def _foreign(python: str, wrapper: Path, bytes_: int) -> str:
    """What ``python -E -c BOOT digest size`` would be where ``uname -m`` says something else."""
    return f"""#!{python}
import os, platform, sys
if len(sys.argv) < 6 and "-c" in sys.argv[1:3]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
platform.machine = lambda: {OTHER!r}
code, sys.argv = sys.argv[3], ["-c", *sys.argv[4:]]
exec(code)
"""


def _astray(python: str, wrapper: Path, bytes_: int) -> str:
    """A board whose clock says 1970, in the agent itself; what it starts sees the real one."""
    return f"""#!{python}
import os, sys, time
if len(sys.argv) < 6:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
began, now = time.time(), time.time
time.time = lambda: now() - began + 60
code, sys.argv = sys.argv[3], ["-c", *sys.argv[4:]]
exec(code)
"""


def _cut(python: str, wrapper: Path, bytes_: int) -> str:
    """Once the input ends amid the artifact."""
    return f"""#!{python}
import os, subprocess, sys
if len(sys.argv) < 6 or os.path.exists({f"{wrapper}.cut"!r}):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
open({f"{wrapper}.cut"!r}, "w").close()
with subprocess.Popen([{python!r}, *sys.argv[1:]], stdin=subprocess.PIPE, bufsize=0) as agent:
    left = {bytes_ // 2}
    while left > 0 and (piece := os.read(0, min(left, 65536))):
        left -= agent.stdin.write(piece)
"""


_WRAPPERS: dict[str, Callable[[str, Path, int], str]] = {
    "full": _full, "foreign": _foreign, "cut": _cut, "astray": _astray,
}  # fmt: skip


def runs(board: Board) -> str | None:
    """The digest of what a board runs, as its own link says."""
    try:
        return os.path.basename(os.readlink(Path(board.home) / "deployments" / "current"))
    except OSError:
        return None


@dataclass
class Faulty:
    """A fleet with faults, and a rollout over it.

    Attributes:
        fleet: All boards; their ``home`` is a path of this machine.
        faults: Name → fault, of those that have one.
        before: Name → what it ran, as its digest.
        bundle: What is rolled out.
        state: The state file.
        options: Of the rollout.
    """

    fleet: Fleet
    faults: dict[str, str]
    before: dict[str, str | None]
    bundle: Bundle
    state: Path
    options: RolloutOptions

    def run(self) -> Rollout:
        """Roll out, in this process."""
        return rollout([self.bundle], self.fleet, self.options, state=self.state)

    def killed(self, after_s: float) -> None:
        """Roll out in a process that is killed after so long, unless it ends before."""
        process = _CONTEXT.Process(target=self.run)
        process.start()
        process.join(after_s)
        process.kill()
        process.join()
        self.hold()

    def hold(self) -> None:
        """What must be true whatever happened: each board runs the old or the new build, and the file knows.

        A board may be amid its switch for a moment after the host is gone, so its link is read until the file
        and it agree, for some seconds at most.
        """
        until = time.monotonic() + 10
        while wrong := self.disagreements():
            assert time.monotonic() < until, wrong
            time.sleep(0.05)

    def disagreements(self) -> list[str]:
        """Where boards and state file differ, or a board runs nothing."""
        saved = saved_rollout(self.state)
        rows = {} if saved is None else {row.board: row for row in saved.boards}
        wrong = []
        for board in self.fleet.boards:
            now, old, row = runs(board), self.before[board.name], rows.get(board.name)
            if now not in (old, self.bundle.digest):
                wrong.append(f"{board} runs {now}")
            state = row.state if row else "waiting"
            may = {"switching": (old, self.bundle.digest), "returning": (old, self.bundle.digest)}
            new = state in (*ON_NEW, "kept")
            if now not in may.get(state, (self.bundle.digest if new else old,)):
                wrong.append(f"{board} is {state} and runs {now}")
            if now == self.bundle.digest != old and (row is None or row.before != old):
                wrong.append(f"what {board} ran before is lost")
        return wrong

    def mended(self) -> None:
        """Check the end: all that have no lasting fault run the new build, the others the old one."""
        self.hold()
        for board in self.fleet.boards:
            lasting = self.faults.get(board.name) not in (None, *PASSING)
            assert runs(board) == (self.before[board.name] if lasting else self.bundle.digest), board


# Children have all modules in memory already, and nothing of the test's.
_CONTEXT: Any = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.fleets.faults"])


def faulty(
    boards: Sequence[Board], faults: Sequence[str], bundle: Bundle, folder: Path, **options: Any
) -> Faulty:
    """A fleet whose last boards have these faults, one each, in that order."""
    good = list(boards[: len(boards) - len(faults)])
    bad = list(boards[len(good) :])
    size = len(bundle.artifact)
    wrong = [spoiled(board, fault, folder, size) for board, fault in zip(bad, faults, strict=True)]
    return Faulty(
        fleet=Fleet("faulty", (*good, *wrong)),
        faults={board.name: fault for board, fault in zip(bad, faults, strict=True)},
        before={board.name: runs(board) for board in boards},
        bundle=bundle,
        state=folder / "rollout.json",
        options=RolloutOptions(check=CHECK, **options),
    )
