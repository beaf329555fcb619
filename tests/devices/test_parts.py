"""Halves of the agent: each reaches a board once, when it is first needed, and heals there."""

from __future__ import annotations

import pytest

from edgenet.agent import wire
from edgenet.devices.archive import part_archives
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError

PARTS = {archive.digest: name for name, archive in part_archives().items()}


def here(board):
    """The parts that lie on a board."""
    folder = board.edgenet_home / "blobs"
    return sorted(PARTS[path.name] for path in folder.iterdir() if path.name in PARTS)


def test_a_board_gets_only_the_part_it_needs(board, net):
    with connect("board") as agent:
        net().deploy(agent)
        assert agent.facts().runtimes == {}
        assert here(board) == []
        agent.open(None, 1).close()
        assert here(board) == ["runtimes/null", "tasks/classification"]
        agent.facts(["onnxruntime"])
        assert here(board) == ["runtimes/null", "runtimes/onnxruntime", "tasks/classification"]


def test_a_part_is_sent_once(board):
    size = len(part_archives()["runtimes/onnxruntime"].data)
    sent = []
    for _ in range(2):
        with connect("board") as agent:
            before = agent.bytes_sent
            assert agent.try_runtime("onnxruntime", None).works
            sent.append(agent.bytes_sent - before)
    assert sent[0] > size
    assert sent[1] < 200


def test_a_damaged_part_is_sent_again(board, net):
    with connect("board") as agent:
        net().deploy(agent)
        agent.open(None, 1).close()
        path = board.edgenet_home / "blobs" / part_archives()["runtimes/null"].digest
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + b"x")
        assert agent.open(None, 1).loaded.runtime_version == "1"
        assert path.read_bytes() == whole


def test_a_board_that_never_has_the_part_is_an_error_and_no_loop(board, monkeypatch):
    with connect("board") as agent:
        monkeypatch.setattr(agent, "send_blobs", lambda blobs: None)
        with pytest.raises(BoardError, match="part for onnxruntime is not on the board") as caught:
            agent.try_runtime("onnxruntime", None)
        assert caught.value.kind == wire.PART


def test_a_backend_without_a_part_is_named(board):
    with connect("board") as agent:
        trial = agent.try_runtime("nonsense", None)
        assert not trial.works
        assert "no runtime 'nonsense'" in trial.why
