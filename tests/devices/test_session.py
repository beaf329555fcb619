"""A model on a board: measured, answering, dying."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time

import numpy as np
import pytest

from edgenet.agent import wire
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from edgenet.devices.session import TurnForm
from edgenet.errors import ConnectionLost, DataError
from edgenet.frame import Frame
from tests import sshd

PROTOCOL = {
    "warmup_s": 0.0,
    "min_seconds": 0.0,
    "min_runs": 20,
    "max_seconds": 60.0,
    "pipeline": True,
    "threads": 1,
}


@pytest.fixture(params=["local", "board"])
def agent(request, board):
    with connect(request.param) as agent:
        yield agent


def test_replay_answers_each_image(agent, net, picture):
    net().deploy(agent)
    session = agent.open(net().digest, 1)
    events = []
    answers = list(session.replay([picture(0), picture(1)], events.append))
    assert events == [{"stage": "replay", "done": 2}]
    for value, answer in enumerate(answers):
        assert answer.output.dtype == np.int8
        assert answer.output.tolist() == [48 * value + i - 128 for i in range(5)]
        assert answer.pixels_sha256 == hashlib.sha256(bytes([value]) * 48).hexdigest()


def test_replay_in_batches(agent, net, picture, monkeypatch):
    monkeypatch.setattr("edgenet.devices.session.BATCH", 3 * len(picture(0)))
    net().deploy(agent)
    events = []
    answers = list(agent.open(None, 1).replay((picture(v) for v in range(7)), events.append))
    assert [event["done"] for event in events] == [3, 6, 7]
    assert [int(answer.output[0]) + 128 for answer in answers] == [48 * v % 256 for v in range(7)]


def test_answers_larger_than_their_images_come_in_several_replies(agent, net, picture):
    """Three answers of 3 MB do not fit into a reply of 8 MB; their three small images fit into a request."""
    large = net("large", outputs=3_000_000)
    large.deploy(agent)
    events = []
    answers = list(agent.open(large.digest, 1).replay([picture(v) for v in range(3)], events.append))
    assert [event["done"] for event in events] == [2, 3]
    assert [int(answer.output[0]) + 128 for answer in answers] == [48 * v for v in range(3)]
    assert all(answer.output.size == 3_000_000 for answer in answers)


def test_bench(agent, net, picture):
    net("slow", sleep_ms=2).deploy(agent)
    session = agent.open(None, 1)
    events = []
    result = session.bench({**PROTOCOL, "min_seconds": 0.5}, [picture(0), picture(1)], events.append)
    assert len(result.model_ms) >= 20
    assert len(result.pipeline_ms) >= 20
    assert result.model_ms.min() >= 2.0
    assert result.pipeline_ms.min() >= 2.0
    assert set(result.parts_ms) == {"decode", "fit", "invoke", "post"}
    assert sum(result.parts_ms.values()) <= result.pipeline_ms.mean()
    assert set(result.memory_mb) == {"import", "load", "first_run", "peak", "arena"}
    assert result.memory_mb["peak"] > result.memory_mb["import"] > 1
    assert result.warmup["model"].runs == 1
    assert result.label in "abcde"
    assert {event["stage"] for event in events} == {"model", "pipeline"}
    for reading in (result.sensors.before.to_table(), result.sensors.after.to_table()):
        assert "load_1m" in {*reading, *reading["absent"]}


def test_bench_without_the_pipeline(agent, net, picture):
    net().deploy(agent)
    result = agent.open(None, 1).bench({**PROTOCOL, "pipeline": False}, [picture(0)])
    assert len(result.model_ms) == 20
    assert len(result.pipeline_ms) == 0


def test_bench_of_frames(agent, net):
    """A 4x4 frame of one value in RGB: the do-nothing model adds its pixels up."""
    net().deploy(agent)
    session = agent.open(None, 1)
    result = session.bench(PROTOCOL, [bytes([1]) * 768], frame=Frame(16, 16, "rgb"))
    assert set(result.parts_ms) == {"fit", "invoke", "post"}
    assert set(result.parts_absent) == {"decode"}
    assert result.label == "abcde"[4], "48 pixels of 1: the last output is the largest"
    with pytest.raises(BoardError, match="not 16x16 rgb24"):
        session.bench(PROTOCOL, [bytes(767)], frame=Frame(16, 16, "rgb"))


def test_turns(agent, net):
    net("slow", sleep_ms=2).deploy(agent)
    session = agent.open(None, 1)
    events = []
    first = TurnForm(Frame(16, 16, "rgb"), [bytes(768), bytes(768)])
    forms = [first, TurnForm(Frame(16, 16, "yuyv"), [bytes(512)], "full")]
    result = session.turns({**PROTOCOL, "min_seconds": 0.5}, forms, events.append)
    assert result.ms.shape[1] == 2
    assert len(result.ms) >= 20
    assert result.ms.min() >= 2.0
    assert [set(parts) for parts in result.parts_ms] == [{"fit", "invoke", "post"}] * 2
    assert {event["stage"] for event in events} == {"frames"}
    again = session.turns(PROTOCOL, forms[:1])
    assert again.ms.shape[1] == 1, "what was measured is forgotten"
    with pytest.raises(BoardError, match="no frames were sent"):
        session.turns(PROTOCOL, [])


def test_too_large_images(agent, net, picture):
    net().deploy(agent)
    session = agent.open(None, 1)
    with pytest.raises(DataError, match="too large"):
        list(session.replay([bytes(wire.MAX_BODY + 1)]))
    many = [picture(0), bytes(5_000_000), bytes(5_000_000)]
    with pytest.raises(BoardError, match="image"):
        session.bench(PROTOCOL, many)
    assert len(session.bench(PROTOCOL, [picture(0), bytes(wire.MAX_BODY)]).model_ms) == 20


def test_image_that_is_none_is_named(agent, net, picture, monkeypatch):
    monkeypatch.setattr("edgenet.devices.session.BATCH", 2 * len(picture(0)))
    net().deploy(agent)
    session = agent.open(None, 1)
    with pytest.raises(BoardError, match="image 3: a damaged PPM") as caught:
        list(session.replay([picture(0), picture(1), picture(2), b"P6\n4 4\n255\nshort"]))
    assert caught.value.kind == "bad-image"
    assert "image 3:" in caught.value.what
    assert len(list(session.replay([picture(0)]))) == 1, "the model is still open"


def test_chatter_of_a_runtime_does_not_break_frames(agent, net, picture):
    net("talks", say="EDG1\0\0\0\x05 hello\n" * 1000).deploy(agent)
    assert len(list(agent.open(None, 1).replay([picture(0)]))) == 1


@pytest.mark.parametrize("moment", ["load", "invoke"])
@pytest.mark.parametrize(
    ("name", "remedy"),
    [("SIGILL", "this CPU lacks"), ("SIGKILL", "memory"), ("SIGSEGV", ""), ("SIGBUS", "")],
)
def test_signals_are_named(board, net, moment, name, remedy):
    dying, living = net("dying", fail={"at": moment, "signal": name}), net("living")
    with connect("board") as agent:
        living.deploy(agent)
        dying.deploy(agent)
        with pytest.raises(BoardError, match=name) as caught:
            agent.open(dying.digest, 1)
        assert caught.value.kind == wire.DIED
        assert caught.value.facts["signal"] == name
        assert remedy in caught.value.remedy
        assert agent.open(living.digest, 1).loaded.memory_mb["peak"] > 0


def test_errors_of_a_runtime(board, net):
    with connect("board") as agent:
        for moment, kind in (("load", "load"), ("invoke", "run")):
            net(moment, fail={"at": moment, "error": "no such operator"}).deploy(agent)
            with pytest.raises(BoardError, match="no such operator") as caught:
                agent.open(None, 1)
            assert caught.value.kind == kind


def test_runtime_that_is_not_there(board, net):
    with connect("board") as agent:
        agent.begin()
        agent.send_blobs([net().blob])
        agent.deploy(net().manifest(backend="nothing"))
        with pytest.raises(BoardError, match="no runtime 'nothing'"):
            agent.open(None, 1)


def test_damaged_artifact_is_seen(board, net):
    with connect("board") as agent:
        net().deploy(agent)
        (board.edgenet_home / "blobs" / net().blob.digest).write_bytes(net().data[:-1] + b" ")
        with pytest.raises(BoardError, match="damaged"):
            agent.open(None, 1)
        assert net().deploy(agent) is False, "deployed again, the blob alone is sent"
        agent.open(None, 1)


def test_nothing_open(board, net, picture):
    with connect("board") as agent:
        with pytest.raises(BoardError, match="not deployed"):
            agent.open(None, 1)
        net().deploy(agent)
        session = agent.open(None, 1)
        session.close()
        with pytest.raises(BoardError, match="no model is open"):
            list(session.replay([picture(0)]))


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
def test_host_gone_ends_the_model(net, picture):
    with connect("local") as agent:
        net("sleeps", sleep_ms=1).deploy(agent)
        session = agent.open(None, 1)
        main = agent._connection.process.pid
        (worker,) = sshd.descendants(main)
        benching = {**PROTOCOL, "min_seconds": 600.0, "max_seconds": 600.0}

        def leave(event):
            os.kill(worker, signal.SIGSTOP)  # it can no longer end by itself
            agent._connection.process.stdin.close()

        with pytest.raises(ConnectionLost):
            session.bench(benching, [picture(0)], leave)
        deadline = time.monotonic() + 10
        while not (gone(main) and gone(worker)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert gone(main)
        assert gone(worker)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
def test_worker_stays_on_the_cores_it_is_given(net, picture):
    core = max(os.sched_getaffinity(0))
    with connect("local") as agent:
        net().deploy(agent)
        agent.open(None, 1, cores=[core])
        (worker,) = sshd.descendants(agent._connection.process.pid)
        assert os.sched_getaffinity(worker) == {core}
        agent.open(None, 1)
        (worker,) = sshd.descendants(agent._connection.process.pid)
        assert os.sched_getaffinity(worker) == os.sched_getaffinity(0)
        with pytest.raises(BoardError, match=r"cannot run it on cores \[4000\]"):
            agent.open(None, 1, cores=[4000])


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")
def test_worker_killed_from_outside(net, picture):
    with connect("local") as agent:
        net("sleeps", sleep_ms=1).deploy(agent)
        session = agent.open(None, 1)
        (worker,) = sshd.descendants(agent._connection.process.pid)
        killed = threading.Event()

        def kill(event):
            if not killed.is_set():
                killed.set()
                os.kill(worker, signal.SIGKILL)

        with pytest.raises(BoardError, match="SIGKILL") as caught:
            session.bench({**PROTOCOL, "min_seconds": 600.0, "max_seconds": 600.0}, [picture(0)], kill)
        assert caught.value.kind == wire.DIED
