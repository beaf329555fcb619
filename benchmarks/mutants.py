"""Would the tests notice? One small change of a file at a time, against that file's own tests.

python benchmarks/mutants.py [FILE…]

The files, their tests and the changes that change nothing stand in mutants.toml. Each change is made in a
copy of the tree and tried in a fork of a process that has numpy, onnx and pytest loaded, so that a try costs
little more than the tests themselves. Needs POSIX. Exit code 1: of some file too little was noticed.

mutmut 3 chooses tests by coverage, not a file's own, and imports itself into what it changes, which the
agent's archives do not hold; cosmic-ray 8 starts a process for each change and brings 25 packages with a
database; mutatest ended with Python 3.8.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mutations import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix(".toml")
ENOUGH = 0.92
LOADED = ("hypothesis", "numpy", "onnx.numpy_helper", "PIL.Image", "pytest", "scipy.special", "scipy.stats")
COPIED = ("edgenet", "tests")
NOT_THE_TREES = (".venv", ".git")
# A change may make a loop endless: how many times the unchanged tests' seconds, and at least so many.
PATIENCE, LEAST_S = 5.0, 5.0
# hypothesis is loaded before pytest could rewrite its assertions; that is what the warning says.
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0")
PYTEST += ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class Subject(NamedTuple):
    """One file.

    Attributes:
        path, tests: Relative to the tree's root.
        same: Changes that change nothing.
    """

    path: str
    tests: tuple[str, ...]
    same: frozenset[str]


class Outcome(NamedTuple):
    """What became of a file's changes.

    Attributes:
        survived: Changes of the code that no test noticed.
        noticed, same: How many were noticed, and how many changed nothing.
        wrong: What is listed as changing nothing, and was noticed wherever it stood.
        seconds: That it took.
    """

    survived: list[Mutant]
    noticed: int
    same: int
    wrong: list[str]
    seconds: float

    @property
    def share(self) -> float:
        """Of those that change something, how many were noticed."""
        return self.noticed / max(self.noticed + len(self.survived), 1)


class Room:
    """A copy of the tree that one try at a time may change."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        folder.mkdir()
        (folder / "tmp").mkdir()
        for entry in ROOT.iterdir():
            if entry.name in COPIED:
                shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif entry.name not in NOT_THE_TREES:
                (folder / entry.name).symlink_to(entry)

    def begin(self, tests: Sequence[str], compile_once: bool = False) -> int:
        """Start the tests in a process of their own; its id."""
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(self._child(tests, compile_once))
            except BaseException:
                os._exit(3)
        return pid

    def _child(self, tests: Sequence[str], compile_once: bool) -> int:
        import hypothesis
        import pytest

        os.setsid()
        # What fails once is noticed: nobody needs the smallest example of it.
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("quick", max_examples=20, deadline=None, phases=phases)
        hypothesis.settings.load_profile("quick")
        os.chdir(self.path)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.environ.update(EDGENET_CACHE=str(self.path / "cache"), TMPDIR=str(self.path / "tmp"))
        tempfile.tempdir = None
        # A changed file may have the size and the second of the one before it: its bytecode is not kept.
        sys.dont_write_bytecode = not compile_once
        sys.path[0] = str(self.path)
        code = int(pytest.main([*PYTEST, *tests]))
        import edgenet

        if not str(edgenet.__file__).startswith(str(self.path)):
            return 3
        return code


def subjects(wanted: Sequence[str]) -> list[Subject]:
    """The files of the list, or those of them that are wanted."""
    listed: dict[str, Any] = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found = [Subject(path, tuple(item["tests"]), _same(item)) for path, item in listed.items()]
    return [item for item in found if not wanted or item.path in wanted]


def _same(item: dict[str, Any]) -> frozenset[str]:
    return frozenset(change for reason in item.get("same", []) for change in reason["changes"])


def end(pid: int) -> None:
    """End a try and all that it started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it had not yet a group of its own
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def alone(room: Room, subject: Subject) -> float:
    """Seconds that the unchanged file's tests take."""
    began = 0.0
    for compile_once in (True, False):
        began = time.monotonic()
        _, status = os.waitpid(room.begin(subject.tests, compile_once), 0)
        if status:
            sys.exit(f"{subject.path}: its own tests fail without any change: {' '.join(subject.tests)}")
    return time.monotonic() - began


def attempt(subject: Subject, rooms: Sequence[Room], most: int | None = None) -> Outcome:
    """Try every change of a file, or at most so many of them, evenly spread."""
    began, unnoticed, noticed = time.monotonic(), [], 0
    original = ROOT / subject.path
    limit = max(LEAST_S, PATIENCE * max(alone(room, subject) for room in rooms))
    waiting = list(mutants(original.read_text(encoding="utf-8")))
    waiting = waiting[:: math.ceil(len(waiting) / most)] if most else waiting
    tried = {str(mutant) for mutant in waiting}
    free, running = list(rooms), {}
    while waiting or running:
        while waiting and free:
            room, mutant = free.pop(), waiting.pop()
            (room.path / subject.path).write_text(mutant.source, encoding="utf-8")
            running[room.begin(subject.tests)] = (room, mutant, time.monotonic() + limit)
        for pid, (room, mutant, deadline) in list(running.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            late = not done and time.monotonic() > deadline
            if late:
                end(pid)
            if done or late:
                del running[pid]
                free.append(room)
                noticed += bool(late or status)
                if done and not status:
                    unnoticed.append(mutant)
        time.sleep(0.005)
    for room in rooms:
        shutil.copy2(original, room.path / subject.path)
    survived = [mutant for mutant in reversed(unnoticed) if str(mutant) not in subject.same]
    wrong = sorted((subject.same & tried) - {str(mutant) for mutant in unnoticed})
    return Outcome(survived, noticed, len(unnoticed) - len(survived), wrong, time.monotonic() - began)


def main() -> int:
    """Try the files and show what no test noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="of mutants.toml; all without any")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 4))
    parser.add_argument("--most", type=int, help="changes a file, evenly spread; all without it")
    given = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in LOADED:
        importlib.import_module(name)

    too_few = False
    with tempfile.TemporaryDirectory(prefix="edgenet-mutants-") as folder:
        rooms = [Room(Path(folder, str(number))) for number in range(given.workers)]
        for subject in subjects(given.files):
            found = attempt(subject, rooms, given.most)
            too_few |= found.share < ENOUGH or bool(found.wrong)
            print(
                f"{subject.path}: {found.noticed} of {found.noticed + len(found.survived)} noticed "
                f"({100 * found.share:.1f} %), {found.same} change nothing, {found.seconds:.0f} s",
                flush=True,
            )
            for mutant in found.survived:
                print(f"  {mutant}", flush=True)
            for change in found.wrong:
                print(f"  does not change nothing: {change}", flush=True)
    return int(too_few)


if __name__ == "__main__":
    sys.exit(main())
