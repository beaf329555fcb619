"""Boards that go wrong and a host that is killed: the old build or the new one, and the file knows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.errors import EXIT_OVER_LIMIT
from edgenet.steps.deploy import deploy
from tests.fleets.faults import FAULTS, faulty, local_boards, null_bundle

OLD, NEW = null_bundle("old"), null_bundle("new", 200_000)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the old build is current."""
    home = tmp_path_factory.mktemp("first") / "home"
    deploy(OLD, Board("local", home=str(home)))
    return home


def test_six_faults_and_a_host_that_is_killed_three_times(deployed, tmp_path):
    boards = local_boards(tmp_path, 8, deployed)
    case = faulty(boards, FAULTS, NEW, tmp_path, canary=1, max_failures=5, at_once=4)
    assert all(ran == OLD.digest for ran in case.before.values())
    moments = random.Random()
    seed = moments.randrange(1 << 30)
    moments.seed(seed)
    print(f"moments of {seed}")
    for _ in range(3):
        case.killed(moments.uniform(0.1, 2.0))
    found = case.run()
    if found.phase == "stopped":  # the cut was one failure too many
        found = case.run()
    assert found.phase == "done"
    again = case.run()  # the board that was cut is fit by now
    assert (again.phase, again.exit_code) == ("done", EXIT_OVER_LIMIT)
    case.mended()
    told = {case.faults[row.board]: (row.state, row.reason) for row in again.boards if row.reason}
    assert {fault: state for fault, (state, _) in told.items()} == {
        "unreachable": "unreachable",
        "full": "failed",
        "foreign": "failed",
        "ill": "failed",
        "contradicted": "failed",
    }
    assert "no space on the board" in told["full"][1]
    assert "it was made for" in told["foreign"][1]
    assert "exit status 3: the camera is dark" in told["ill"][1]
    assert "is given as" in told["contradicted"][1]
