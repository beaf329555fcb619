"""A rollout of fifty boards of which ten go wrong, on a host that is killed twenty times.

python benchmarks/fleet_faults.py [--boards 50] [--kills 20] [--seed N]

Every board is a real sshd on loopback with a home of its own. Five do not answer, two have a full card, one
has another processor than the build was made for, one is refused by its owner's check, and one loses its
connection amid the artifact. The rollout runs in a process that is killed (SIGKILL) at random moments. After
each: every board runs the old build or the new one, never none, and the state file and the boards agree. Then
the same command ends it, does nothing when it is run again, and a rollback takes it back.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from fleet_boards import boards, ssh

from edgenet.board import Board
from edgenet.fleets.deploying import deploying
from edgenet.fleets.each import each
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_options import RolloutOptions
from tests.fleets.faults import faulty, null_bundle, runs

FAULTS = [*["unreachable"] * 5, *["full"] * 2, "foreign", "ill", "cut"]
# Of the artifact, which nothing packs.
BYTES = 4_000_000
# A killed run lasts at most so long; so short that the kills fall all over a rollout.
LONGEST_S = 6.0


def main() -> int:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boards", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgenet-faults-") as name:
        folder = Path(name)
        os.environ.update(EDGENET_SSH=ssh(folder / "boards"), EDGENET_CACHE=str(folder / "cache"))
        with boards(folder / "boards", asked.boards, [Path(sys.executable)]) as found:
            listed = [Board(item.name, name=item.name, home=str(item.server.edgenet_home)) for item in found]
            _measure(listed, folder, asked.kills, asked.seed)
    return 0


def _measure(listed: list[Board], folder: Path, kills: int, seed: int) -> None:
    old, new = null_bundle("old"), null_bundle("new", BYTES)
    for outcome in each(listed, deploying([old])):
        assert outcome.error is None, outcome.error
    faults = FAULTS[-max(1, len(listed) // 2) :]  # of a few boards, the last of them
    case = faulty(listed, faults, new, folder, canary=2, max_failures=len(faults))
    moments = random.Random(seed)
    print(f"{len(listed)} boards, {len(faults)} of them with faults; seed {seed}")
    for number in range(kills):
        after = moments.uniform(0.2, LONGEST_S * len(listed) / 50)
        case.killed(after)
        done = sum(runs(board) == new.digest for board in listed)
        print(f"  kill {number + 1} after {after:.1f} s: {done} boards run the new build, the others the old")
    for what in ("the same command ends it", "and again, for what was cut", "run again, it does nothing"):
        began = time.perf_counter()
        made = case.run()
        print(f"{what}: {made.phase}, exit code {made.exit_code}, {time.perf_counter() - began:.1f} s")
    case.mended()
    for row in made.boards:
        if row.reason:
            print(f"  {row.board} ({case.faults[row.board]}): {row.state}: {row.reason[:90]}")
    began = time.perf_counter()
    back = rollout([], case.fleet, RolloutOptions(rollback=True), state=case.state)
    print(f"taken back: {back.phase}, exit code {back.exit_code}, {time.perf_counter() - began:.1f} s")
    assert [runs(board) for board in listed] == [old.digest] * len(listed)


if __name__ == "__main__":
    sys.exit(main())
