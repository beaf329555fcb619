"""Boards that go wrong and a host that is killed: the old build or the new one, and the file knows."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.devices.connect import connect
from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT
from edgenet.fleet import Fleet
from edgenet.fleets import renew
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.steps.deploy import deploy
from tests import sshd
from tests.fleets.faults import FAULTS, faulty, local_boards, null_bundle, runs, spoiled

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
    seed = random.randrange(1 << 30)
    print(f"moments of {seed}")
    moments = random.Random(seed)
    for _ in range(3):
        case.killed(moments.uniform(0.1, 1.2))
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


def test_what_a_rollout_did_and_undid_is_in_the_boards_history_also_where_the_clock_is_wrong(
    deployed, tmp_path, monkeypatch
):
    """And the second run sends next to nothing."""
    good, other = local_boards(tmp_path, 2, deployed)
    fleet = Fleet("two", (good, spoiled(other, "astray", tmp_path, len(NEW.artifact))))
    state, sent = tmp_path / "r.json", []

    class Counted(contextlib.ExitStack):
        def __init__(self, board, waiting):
            super().__init__()
            self.agent = self.enter_context(connect(board, waiting))

        def __enter__(self):
            return self.agent

        def __exit__(self, *error):
            sent.append(self.agent.bytes_sent)
            return super().__exit__(*error)

    monkeypatch.setattr(renew, "connect", Counted)
    assert rollout([NEW], fleet, state=state).exit_code == EXIT_DONE
    assert rollout([NEW], fleet, state=state).exit_code == EXIT_DONE
    assert sum(sent[:2]) > 2 * len(NEW.artifact)
    assert all(0 < count < 1024 for count in sent[2:]), "less than a quarter of what may be sent"
    back = rollout([], fleet, RolloutOptions(rollback=True), state=state)
    assert (back.phase, back.exit_code) == ("rolled back", EXIT_DONE)
    assert [runs(board) for board in fleet.boards] == [OLD.digest] * 2
    for board in fleet.boards:
        with connect(board) as agent:
            status = agent.upkeep.status()
        told = [(line.what, line.digest) for line in status.history if line.what != "place"]
        assert told == [("rollback", OLD.digest), ("rollout", NEW.digest), ("deploy", OLD.digest)]
        assert status.previous.digest == NEW.digest
    assert status.clock_s < 1e6, "the wrapper works"


def test_answers_that_are_not_the_builds_keep_it_out(deployed, tmp_path):
    (board,) = local_boards(tmp_path, 1, deployed)
    found = rollout([null_bundle("liar", honest=False)], Fleet("one", (board,)), state=tmp_path / "r.json")
    assert (found.boards[0].state, found.exit_code) == ("failed", EXIT_OVER_LIMIT)
    assert "answers the golden images of liar.null.int8 otherwise" in found.boards[0].reason
    assert runs(board) == OLD.digest


def test_two_names_of_one_home(deployed, tmp_path):
    (board,) = local_boards(tmp_path, 1, deployed)
    (tmp_path / "link").symlink_to(board.home)
    fleet = Fleet("twins", (board, replace(board, name="twin", home=str(tmp_path / "link"))))
    found = rollout([NEW], fleet, state=tmp_path / "r.json")
    assert [row.state for row in found.boards] == ["switched", "failed"]
    assert found.boards[1].reason == "twin and b0 are one board"


def test_a_deleted_build_is_not_returned_to_and_one_that_is_there_is(deployed, tmp_path):
    boards = local_boards(tmp_path, 2, deployed)
    state = tmp_path / "r.json"
    rollout([NEW], Fleet("two", tuple(boards)), state=state)
    with connect(boards[0]) as agent:
        agent.upkeep.remove(OLD.digest)
    back = rollout([], Fleet("two", tuple(boards)), RolloutOptions(rollback=True), state=state)
    assert [row.state for row in back.boards] == ["kept", "returned"]
    assert "the new build stays, so that it runs something" in back.boards[0].reason
    assert [runs(board) for board in boards] == [NEW.digest, OLD.digest]
    assert (back.phase, back.exit_code) == ("rolled back", EXIT_OVER_LIMIT)


def test_a_card_that_is_full_during_a_rollback(deployed, tmp_path, small_disk):
    shutil.copytree(deployed, small_disk / "home", symlinks=True)
    board = Board("local", name="small", home=str(small_disk / "home"))
    fleet, state = Fleet("one", (board,)), tmp_path / "r.json"
    assert rollout([NEW], fleet, state=state).exit_code == EXIT_DONE
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", 0) as stream:
        while stream.write(bytes(4096)):
            pass
    assert os.statvfs(small_disk).f_bavail == 0
    back = rollout([], fleet, RolloutOptions(rollback=True), state=state)
    assert runs(board) == (OLD if back.boards[0].state == "returned" else NEW).digest
    (small_disk / "filler").unlink()
    back = rollout([], fleet, RolloutOptions(rollback=True), state=state)
    assert (back.phase, runs(board)) == ("rolled back", OLD.digest)


def test_over_ssh_a_server_that_goes_away_amid_a_blob(tmp_path, monkeypatch):
    if reason := sshd.missing():
        pytest.skip(reason)
    with sshd.start(tmp_path / "board", {"EDGENET_PYTHON": sys.executable}) as server:
        monkeypatch.setenv("EDGENET_SSH", server.ssh)
        here = Board(sshd.ALIAS, name="here", home=str(server.edgenet_home))
        away = Board("nobody@127.0.0.1:9", name="away")
        deploy(OLD, here)
        cut = []

        def tell(board, stage, done, total):
            if stage.startswith("sending") and not cut:
                cut.append(board)
                for pid in server.sessions():
                    with contextlib.suppress(ProcessLookupError):  # it ended with the one before
                        os.kill(pid, signal.SIGKILL)

        fleet, state = Fleet("both", (here, away)), tmp_path / "r.json"
        options = RolloutOptions(max_failures=2)
        found = rollout([NEW], fleet, options, tell, state)
        assert [row.state for row in found.boards] == ["unreachable", "unreachable"]
        assert (runs(here), found.exit_code) == (OLD.digest, 3)
        again = rollout([NEW], fleet, options, state=state)
        assert [row.state for row in again.boards] == ["switched", "unreachable"]
        assert (runs(here), again.exit_code) == (NEW.digest, EXIT_OVER_LIMIT)
