"""A rollout over many boards of which eleven have a fault, its host killed again and again.

After each kill, and at the end, every board must run the old or the new build, and the state file must agree
with the boards; a further run ends the rollout. The faults are those of ``tests/fleets/faults.py``.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fleet_boards import Simulated

from edgenet.board import Board
from edgenet.bundle import Bundle
from tests.fleets.faults import Faulty, faulty, runs

__all__ = ["killed_rollout"]

FAULTS = ("unreachable",) * 5 + ("full",) * 2 + ("foreign", "ill", "cut", "contradicted")
# The faults' wrappers are programs for it or a newer one.
OLDEST = (3, 8)


def killed_rollout(bundle: Path, found: Sequence[Simulated], folder: Path, kills: int, at_once: int) -> None:
    """Roll a build out over boards that run another one, and print what became of them.

    Args:
        bundle: What is rolled out.
        found: The boards; each runs something.
        folder: For the faults' wrappers and the state file.
        kills: How often the host is killed, each time at a random moment.
        at_once: Boards that are worked on at the same time.
    """
    folder.mkdir()
    boards = [_board(board) for board in sorted(found, key=_fit_for_a_fault)]
    options = {"canary": 2, "max_failures": len(boards), "at_once": at_once, "min_fps": 0.1}
    case = faulty(boards, FAULTS, Bundle.load(bundle), folder, **options)
    began, seed = time.perf_counter(), random.randrange(1 << 30)
    moments = random.Random(seed)
    print(f"rollout over {len(boards)} boards, {len(FAULTS)} with a fault; {kills} kills (seed {seed})")
    for number in range(kills):
        case.killed(moments.uniform(0.5, 12.0))
        print(f"  kill {number + 1}: {_tally(case)}", flush=True)
    result = case.run()
    print(f"  resumed: {result.phase}, exit code {result.exit_code}; {_tally(case)}")
    result = case.run()
    case.mended()
    print(f"  run again: {result.phase}, exit code {result.exit_code}; {_tally(case)}")
    for row in result.boards:
        if row.reason:
            print(
                f"    {row.board} ({case.faults.get(row.board, 'no fault')}): {row.state}: {row.reason[:120]}"
            )
    print(f"  every board ran the old or the new build at each of them; {time.perf_counter() - began:.0f} s")


def _board(board: Simulated) -> Board:
    home = str(board.server.edgenet_home)
    return Board(board.name, name=board.name, target="local", home=home, python=str(board.python))


def _fit_for_a_fault(board: Simulated) -> bool:
    return board.python == Path(sys.executable) or _version(board.python) >= OLDEST


def _version(python: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in python.parents[1].name.split(".")[:2])


def _tally(case: Faulty) -> str:
    """How many boards run what."""
    names = {case.bundle.digest: "the new build", None: "nothing"}
    count = Counter(names.get(runs(board), "the old build") for board in case.fleet.boards)
    return ", ".join(f"{number} run {name}" for name, number in sorted(count.items()))
