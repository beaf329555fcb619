"""A card without room: what is old goes, what runs stays, and what went is said."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from edgenet.agent import wire
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError


@pytest.fixture
def small_board(start_board, tmp_path):
    """A board whose home has 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "edgenet-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(folder / "home")})
    yield folder / "home"
    subprocess.run(["umount", "-l", str(folder)], check=True)


def big(net, name, megabytes=4):
    """A model of so many MB."""
    return net(name, padding=hashlib.sha256(name.encode()).hexdigest() * (16_000 * megabytes))


def names(agent):
    return sorted(item.name for item in agent.deployments().deployments)


def fill(agent, net, letters="abcd"):
    """Four models of 4 MB on a card of 24."""
    for name in letters:
        big(net, name).deploy(agent)


def test_a_board_keeps_its_last_four_deployments(board, net):
    """A hundred deploys leave four, with what only the others used gone, and it is said."""
    with connect("board") as agent:
        for number in range(12):
            net(f"n{number:02d}", padding=str(number)).deploy(agent)
        assert names(agent) == ["n08", "n09", "n10", "n11"]
        gone = [item.split()[1] for item in agent.removed if item.startswith("deployment")]
        assert gone == [f"n{number:02d}" for number in range(8)]
        assert len([item for item in agent.removed if item.startswith("blob")]) == 8


def test_the_history_says_when_from_where_and_what(board, net):
    with connect("board") as agent:
        began = int(time.time())
        for name in "ab":
            net(name).deploy(agent)
        first, second = agent.upkeep.status().history
    assert (first.name, second.name) == ("b", "a")
    assert first.digest == net("b").digest
    assert (first.who, first.host) == (getpass.getuser(), socket.gethostname())
    assert began <= (first.at_host or 0) <= time.time() + 1


def test_old_deployments_make_room(small_board, net):
    with connect("board") as agent:
        fill(agent, net)
        assert agent.removed == []
        events = []
        agent.begin()
        new = big(net, "new", 9)
        agent.send_blobs([new.blob], events.append)
        assert sorted(item.split()[:2] for item in agent.removed[:2]) == [
            ["deployment", "a"],
            ["deployment", "b"],
        ]
        assert events[0]["stage"] == "made room: removed 4 old things"
        agent.deploy(new.manifest())
        assert names(agent) == [*"cd", "new"]
        assert agent.open(big(net, "d").digest, 1)
        assert agent.open(None, 1)


def test_the_current_one_stays_however_old_and_the_one_before_it(small_board, net):
    with connect("board") as agent:
        fill(agent, net)
        big(net, "a").deploy(agent)
        agent.begin()
        agent.send_blobs([big(net, "new", 9).blob])
        assert agent.deployments().current == big(net, "a").digest
        assert names(agent) == ["a", "d"], "a is current, d was before it"
        assert agent.open(None, 1)


def test_history_that_was_lost_does_not_lose_the_current(small_board, net):
    with connect("board") as agent:
        fill(agent, net)
        (small_board / "history.jsonl").write_text('{"not": "a line"}')
        (small_board / "deployments/history.json").write_text('{"not": "a list"}')
        agent.begin()
        agent.send_blobs([big(net, "new", 9).blob])
        assert agent.deployments().current == big(net, "d").digest
        assert len(names(agent)) == 2


def test_the_history_of_an_older_agent_is_read(small_board, net):
    with connect("board") as agent:
        fill(agent, net)
        digests = [big(net, name).digest for name in "dbca"]
        (small_board / "history.jsonl").unlink()
        (small_board / "deployments/history.json").write_text(json.dumps(digests))
        agent.begin()
        agent.send_blobs([big(net, "new", 9).blob])
        assert names(agent) == ["b", "d"]


def test_a_part_that_is_being_resumed_stays(small_board, net, make_blob):
    whole = make_blob(os.urandom(3_000_000))
    part = small_board / "blobs" / f"{whole.digest}.part"
    stale = small_board / "blobs" / f"{'0' * 64}.part"
    with connect("board") as agent:
        fill(agent, net)
        with whole.open() as stream:
            part.write_bytes(stream.read(1_000_000))
        stale.write_bytes(b"stale")
        agent.begin()
        sent = agent.send_blobs([whole, make_blob(os.urandom(4_000_000))])
        assert sent.skipped == 1_000_000
        assert not stale.exists()


def test_what_an_interrupted_deploy_sent_outlives_the_next_deploy(board, net, make_blob):
    part = board.edgenet_home / "blobs" / f"{make_blob(b'x').digest}.part"
    with connect("board") as agent:
        net("a").deploy(agent)
        part.write_bytes(b"half")
        for number in range(6):
            net(f"n{number}").deploy(agent)
    assert part.read_bytes() == b"half"


def test_runtimes_of_kept_deployments_stay(small_board, net):
    runtimes = {name: hashlib.sha256(f"runtime {name}".encode()).hexdigest() for name in "abcd"}
    with connect("board") as agent:
        for name, runtime in runtimes.items():
            (small_board / "runtimes" / runtime).mkdir()
            agent.begin()
            agent.send_blobs([big(net, name).blob])
            agent.deploy(big(net, name).manifest(runtime=runtime))
        agent.begin()
        agent.send_blobs([big(net, "new", 9).blob])
        assert set(agent.runtimes().runtimes) == {runtimes[name] for name in "cd"}
        assert f"runtime {runtimes['a'][:12]}" in agent.removed


def test_a_card_that_fills_up_while_it_is_written_makes_room(small_board, net, make_blob):
    """Something else on the board took the room that there was when the blob was announced."""
    with connect("board") as agent:
        fill(agent, net)
        agent.begin()
        blob = make_blob(os.urandom(3_000_000))
        agent._sender._piece = 256 * 1024
        (small_board / "hog").write_bytes(b"")

        def hog(event):
            if event["stage"] == "send" and event["bytes"] < 600_000:
                free = os.statvfs(small_board)
                room = free.f_bavail * free.f_frsize - 100_000
                with (small_board / "hog").open("ab") as stream:
                    stream.write(bytes(max(room, 0)))

        agent.send_blobs([blob], hog)
        assert agent.removed, "old deployments went"
        assert agent.deployments().current == big(net, "d").digest
        assert (small_board / "blobs" / blob.digest).stat().st_size == 3_000_000


def test_what_cannot_fit_at_all_is_refused(small_board, net, make_blob):
    with connect("board") as agent:
        fill(agent, net, "ab")
        agent.begin()
        with pytest.raises(BoardError) as caught:
            agent.send_blobs([make_blob(bytes(30_000_000))])
        assert caught.value.kind == wire.NO_SPACE
        assert names(agent) == ["a", "b"]
        assert agent.open(None, 1)
