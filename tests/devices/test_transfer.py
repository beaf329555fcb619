"""Blobs and deployments over a real connection: cuts, full disks, two at once."""

from __future__ import annotations

import hashlib
import os
import signal
import sys

import pytest

from edgenet.agent import wire
from edgenet.devices.answers import Deployments
from edgenet.devices.blobs import LARGEST, Blob
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from edgenet.errors import ConnectionLost, DataError

BIG = os.urandom(5 * LARGEST + 1000)


def test_only_what_is_missing_is_sent(board, net, make_blob):
    one, two = net("a"), net("b")
    with connect("board") as agent:
        agent.begin()
        events = []
        sent = agent.send_blobs([one.blob, make_blob(BIG)], events.append)
        assert sent == (len(one.data) + len(BIG), 0)
        assert events[-1] == {"stage": "send", "bytes": sent.bytes, "of_bytes": sent.bytes}
        assert agent.deploy(one.manifest())
        assert agent.deployments().current == one.digest
    with connect("board") as agent:
        before = agent.bytes_sent
        agent.begin()
        assert agent.send_blobs([one.blob, make_blob(BIG)]) == (0, len(one.data) + len(BIG))
        assert not agent.deploy(one.manifest())
        assert agent.bytes_sent - before < 4096
        assert two.deploy(agent)
        found = agent.deployments()
        assert found.current == two.digest
        assert {item.name for item in found.deployments} == {"a", "b"}


@pytest.mark.parametrize("device", ["board", "local"])
def test_cut_in_the_middle_of_a_blob(board, net, make_blob, device):
    with connect(device) as agent:
        net("old").deploy(agent)

    def cut(event):
        if event["bytes"] >= 2 * LARGEST:
            os.kill(agent._connection.process.pid, signal.SIGKILL)

    with connect(device) as agent:
        agent.begin()
        with pytest.raises(ConnectionLost) as caught:
            agent.send_blobs([make_blob(BIG)], cut)
        assert caught.value.exit_code == 3
        with pytest.raises(ConnectionLost):
            agent.deployments()
    with connect(device) as agent:
        assert agent.deployments().current == net("old").digest
        assert agent.open(None, 1).loaded.runtime_version == "1"
        agent.begin()
        sent = agent.send_blobs([make_blob(BIG)])
        assert sent.bytes <= len(BIG) - 2 * LARGEST
        assert sent.skipped >= 2 * LARGEST
        assert agent.send_blobs([make_blob(BIG)]) == (0, len(BIG))


def test_wrong_digest_is_refused_and_forgotten(board):
    name = hashlib.sha256(b"something else").hexdigest()
    data = os.urandom(1000)
    with connect("board") as agent:
        import io

        for _ in range(2):
            with pytest.raises(BoardError, match="damaged") as caught:
                agent.send_blobs([Blob(name, 1000, lambda: io.BytesIO(data))])
            assert caught.value.kind == wire.DAMAGED
    assert list((board.edgenet_home / "blobs").iterdir()) == []


def test_blob_shorter_than_it_says(board, make_blob):
    whole = make_blob(b"12345")
    with connect("board") as agent, pytest.raises(DataError, match="shorter"):
        agent.send_blobs([Blob(whole.digest, 10, whole.open)])


def test_disk_is_full_while_writing(start_board, net, make_blob):
    # 600 kB per file: the agent fits, the blob does not.
    start_board({"EDGENET_PYTHON": sys.executable}, "ulimit -f 1200; exec $SSH_ORIGINAL_COMMAND")
    with connect("board") as agent:
        net("old").deploy(agent)
        agent.begin()
        with pytest.raises(BoardError, match="no space on the board") as caught:
            agent.send_blobs([make_blob(BIG)])
        assert caught.value.kind == wire.NO_SPACE
        assert caught.value.facts["needed"] > 0
        assert agent.deployments().current == net("old").digest, "the connection goes on"


def test_full_disk_is_refused_before_anything_is_sent(start_board, small_disk, make_blob):
    start_board({"EDGENET_PYTHON": sys.executable, "EDGENET_HOME": str(small_disk / "home")})
    blob = Blob("a" * 64, 20_000_000, lambda: pytest.fail("nothing may be read"))
    with connect("board") as agent:
        agent.begin()
        with pytest.raises(BoardError, match=r"needs 24\.2 MB, 8\.\d MB are free") as caught:
            agent.send_blobs([blob])
        assert caught.value.remedy == "free some space on the board and run this again"
        (small_disk / "filler").write_bytes(bytes(1_500_000))
        assert agent.send_blobs([make_blob(os.urandom(1_000_000))]).bytes == 1_000_000


def test_two_deploys_at_once(board, net, monkeypatch):
    with connect("board") as first, connect("board") as second:
        first.begin()
        with pytest.raises(BoardError, match="another deploy to this board is running") as caught:
            second.begin(wait=0.1)
        assert caught.value.kind == wire.LOCKED
        assert "deploy.lock" in caught.value.what
        with pytest.raises(BoardError) as caught:
            second.deploy(net("b").manifest())
        assert caught.value.kind == "not-begun"
        net("a").deploy(first)
        net("b").deploy(second)
        assert first.deployments().current == net("b").digest


def test_lock_ends_with_the_connection(board, net):
    with connect("board") as first:
        first.begin()
        os.kill(first._connection.process.pid, signal.SIGKILL)
    with connect("board") as second:
        second.begin()
        second.end()


def test_hostile_names(board, net):
    with connect("board") as agent:
        for name in ("../../../etc/passwd", "/etc/passwd", "a" * 63 + "\n", "A" * 64):
            for kind, header in (
                (wire.PUT, {"digest": name, "size": 1, "offset": 0}),
                (wire.HAVE, {"blobs": [[name, 1]]}),
                (wire.OPEN, {"digest": name, "threads": 1}),
                (wire.TRY_RUNTIME, {"backend": "null", "runtime": name}),
            ):
                with pytest.raises(BoardError) as caught:
                    agent._channel.request(kind, header, b"x")
                assert caught.value.kind == "bad-request"


def test_requests_that_make_no_sense(board):
    with connect("board") as agent:
        for kind, header in (
            ("no such", {}),
            (wire.PUT, {}),
            (wire.HAVE, {"blobs": 3}),
            (wire.OPEN, {"digest": []}),
        ):
            with pytest.raises(BoardError) as caught:
                agent._channel.request(kind, header)
            assert caught.value.kind == "bad-request"
        assert agent.deployments() == Deployments(deployments=())
