"""A card without room: what is old goes, what runs stays, and what went is said."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from edgenet.agent import wire
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError


@pytest.fixture
def small_board(start_board, tmp_path):
    """A board whose home has 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=777", "edgenet-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(folder / "home")})
    yield folder / "home"
    subprocess.run(["umount", "-l", str(folder)], check=True)


def big(net, name):
    """A model of 2.5 MB."""
    return net(name, padding=hashlib.sha256(name.encode()).hexdigest() * 40_000)


def names(agent):
    return sorted(item.name for item in agent.deployments().deployments)


def test_old_deployments_make_room(small_board, net):
    for name in "abcdef":
        with connect("board") as agent:
            big(net, name).deploy(agent)
            assert agent.removed == []
    with connect("board") as agent:
        assert names(agent) == list("abcdef")
        events = []
        agent.begin()
        new = net("new", padding="n" * 6_000_000)
        agent.send_blobs([new.blob], events.append)
        assert sorted(item.split()[:2] for item in agent.removed[:2]) == [
            ["deployment", "a"],
            ["deployment", "b"],
        ]
        assert events[0]["stage"] == "made room: removed 4 old things"
        agent.deploy(new.manifest())
        assert names(agent) == [*"cdef", "new"]
        assert agent.open(big(net, "f").digest, 1)
        assert agent.open(None, 1)


def test_the_current_one_stays_however_old(small_board, net):
    with connect("board") as agent:
        for name in "abcdef":
            big(net, name).deploy(agent)
        big(net, "a").deploy(agent)
        agent.begin()
        agent.send_blobs([net("new", padding="n" * 6_000_000).blob])
        assert agent.deployments().current == big(net, "a").digest
        assert names(agent) == list("adef")
        assert agent.open(None, 1)


def test_history_that_was_lost_does_not_lose_the_current(small_board, net):
    with connect("board") as agent:
        for name in "abcdef":
            big(net, name).deploy(agent)
        (small_board / "deployments/history.json").write_text('{"not": "a list"}')
        agent.begin()
        agent.send_blobs([net("new", padding="n" * 6_000_000).blob])
        assert agent.deployments().current == big(net, "f").digest
        assert len(names(agent)) == 4


def test_a_part_that_is_being_resumed_stays(small_board, net, make_blob):
    whole = make_blob(os.urandom(3_000_000))
    part = small_board / "blobs" / f"{whole.digest}.part"
    stale = small_board / "blobs" / f"{'0' * 64}.part"
    with connect("board") as agent:
        for name in "abcdef":
            big(net, name).deploy(agent)
        with whole.open() as stream:
            part.write_bytes(stream.read(1_000_000))
        stale.write_bytes(b"stale")
        agent.begin()
        sent = agent.send_blobs([whole, make_blob(os.urandom(4_000_000))])
        assert sent.skipped == 1_000_000
        assert not stale.exists()


def test_runtimes_of_kept_deployments_stay(small_board, net):
    runtimes = {name: hashlib.sha256(f"runtime {name}".encode()).hexdigest() for name in "abcdef"}
    with connect("board") as agent:
        for name, runtime in runtimes.items():
            (small_board / "runtimes" / runtime).mkdir()
            agent.begin()
            agent.send_blobs([big(net, name).blob])
            agent.deploy(big(net, name).manifest(runtime=runtime))
        agent.begin()
        agent.send_blobs([net("new", padding="n" * 6_000_000).blob])
        assert set(agent.runtimes()) == {runtimes[name] for name in "cdef"}
        assert f"runtime {runtimes['a'][:12]}" in agent.removed


def test_what_cannot_fit_at_all_is_refused(small_board, net, make_blob):
    with connect("board") as agent:
        for name in "ab":
            big(net, name).deploy(agent)
        agent.begin()
        with pytest.raises(BoardError) as caught:
            agent.send_blobs([make_blob(bytes(30_000_000))])
        assert caught.value.kind == wire.NO_SPACE
        assert names(agent) == ["a", "b"]
        assert agent.open(None, 1)
