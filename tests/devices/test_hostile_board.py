"""Whatever a board answers, the host says so in one line and runs none of it."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest

from edgenet.agent import wire
from edgenet.devices.agent import Agent
from edgenet.devices.archive import agent_archive
from edgenet.devices.replies import BoardError, field, fields
from edgenet.errors import ConnectionFailed, ConnectionLost, DeviceError, EdgenetError


class Recording:
    """A board that says what was recorded, whatever it is asked."""

    name = "pi"

    def __init__(self, said: bytes) -> None:
        self.stdin, self.stdout, self.closed = io.BytesIO(), io.BytesIO(said), False

    def start(self, digest, size):
        return 0

    def cut(self):
        self.closed = True

    def failed(self, said):
        return ConnectionFailed(f"pi: {said}")

    def lost(self):
        return ConnectionLost("lost")

    def close(self):
        self.closed = True


HELLO = {"hello": "edgenet", "protocol": wire.PROTOCOL, "agent": agent_archive().digest}
LOADED = {"id": 1, "ok": True, "runtime_version": "1", "memory_mb": {}}


def agent(*frames, before=b"\nEDGENET ready\n"):
    packed = [frame if isinstance(frame, bytes) else wire.pack(*frame) for frame in frames]
    return Agent(Recording(before + wire.pack(HELLO) + b"".join(packed)))


def reply(body=b"", **header):
    return ({"id": 1, "ok": True, **header}, body)


@pytest.mark.parametrize(
    "frame",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"EDG1" + struct.pack(">II", 1 << 31, 0),
        b"EDG1" + struct.pack(">II", 2, 1 << 31) + b"{}",
        b"EDG1" + struct.pack(">II", 2, 0) + b"[]",
        b"EDG1" + struct.pack(">II", 2000, 0) + b"{}",
        b"",
        ({"id": 2, "ok": True},),
        ({"ok": True},),
    ],
)
def test_what_is_no_reply_ends_the_connection(frame):
    with pytest.raises(ConnectionLost):
        agent(frame).facts()


@pytest.mark.parametrize(
    "error", [None, "text", [], {}, {"kind": 3, "what": ["x"]}, {"what": "a\nb\x00" * 1000}]
)
def test_odd_errors_are_one_short_line(error):
    with pytest.raises(BoardError) as caught:
        agent(({"id": 1, "error": error},)).facts()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"missing": None},
        {"missing": [["f" * 64, 0]]},
        {"missing": [["a" * 64, -1]]},
        {"missing": [["a" * 64, 99]]},
        {"missing": [["a" * 64]]},
        {"missing": [[{}, 0]]},
        {"missing": [["a" * 64, True]]},
    ],
)
def test_blobs_are_not_sent_on_a_strange_answer(header, make_blob):
    blob = make_blob(b"")._replace(digest="a" * 64, size=10, open=lambda: pytest.fail("opened"))
    with pytest.raises(DeviceError):
        agent(reply(**header)).send_blobs([blob])


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"dtype": "object", "outputs": 1, "pixels": ["x"]}, bytes(8)),
        ({"dtype": "int8", "outputs": 2, "pixels": ["x"]}, bytes(3)),
        ({"dtype": "int8", "outputs": 0, "pixels": ["x"]}, b""),
        ({"dtype": "int8", "outputs": -3, "pixels": ["x"]}, bytes(3)),
        ({"dtype": "int8", "outputs": 3, "pixels": []}, bytes(3)),
        ({"dtype": "int8", "outputs": 3, "pixels": [7]}, bytes(3)),
        ({"dtype": 3, "outputs": 3, "pixels": ["x"]}, bytes(3)),
        ({}, bytes(3)),
    ],
)
def test_strange_answers_of_a_model(header, body):
    session = agent((LOADED,), ({"id": 2, "ok": True, **header}, body)).open(None, 1)
    with pytest.raises(DeviceError):
        list(session.replay([b"image"]))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"runs": {"model": 2}}, bytes(8)),
        ({"runs": {"model": 2}}, np.array([1.0, np.nan]).tobytes()),
        ({"runs": {"model": 2}}, np.array([1.0, -1.0]).tobytes()),
        ({"runs": {"model": "2"}}, bytes(16)),
        ({"runs": {"model": 2, "pipeline": None}}, bytes(16)),
        ({"runs": None}, b""),
        ({"runs": {"model": 0}}, b""),
        ({"runs": {"model": 1}, "sensors": {"other_cpu": "much"}}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "sensors": {"before": {"cpu_mhz": 7}}}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "stride": {"model": 0}}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "layers": [{"name": "a"}]}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "layers": [{"name": 3, "ms": 1}]}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "parts_ms": {"decode": None}}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "roof": {"copy_gb_s": 0}}, np.array([1.0]).tobytes()),
        ({"runs": {"model": 1}, "warmup": {"model": True}}, np.array([1.0]).tobytes()),
    ],
)
def test_strange_samples(header, body):
    whole = {"id": 2, "ok": True, "memory_mb": {}, "sensors": {}, "warmup": {}, "layers": [], **header}
    session = agent((LOADED,), (whole, body)).open(None, 1)
    with pytest.raises(DeviceError):
        session.bench({}, [b"image"])


@pytest.mark.parametrize(
    "hello", [{}, {"protocol": 99}, {**HELLO, "agent": "f" * 64}, {"error": {"what": "no"}}]
)
def test_another_agent_is_refused(hello):
    connection = Recording(b"\nEDGENET ready\n" + wire.pack(hello))
    with pytest.raises(EdgenetError):
        Agent(connection)
    assert connection.closed


def test_hello_may_have_text_before():
    assert agent(reply(facts={"a": 1}), before=b"Welcome\nto EDGENET x\n\nEDGENET ready\n").facts() == {
        "a": 1
    }


@pytest.mark.parametrize("line", [b"EDGENET nonsense \x1b[2J\n", b"EDGENET \n", b"EDGENET cannot-write /x\n"])
def test_odd_bootstrap_lines(line):
    with pytest.raises(ConnectionFailed) as caught:
        Agent(Recording(line))
    assert "\x1b" not in str(caught.value)


def test_progress_without_a_listener_is_dropped():
    assert agent(({"id": 1, "event": "progress"},), reply(facts={})).facts() == {}


def test_fields():
    assert field({"a": 1}, "a", float) == 1.0
    for value, kind in ((True, int), (None, str), ("1", int), (1.5, int)):
        with pytest.raises(DeviceError):
            field({"a": value}, "a", kind)
    with pytest.raises(DeviceError):
        fields({"a": ["x", 1]}, "a", str)
    assert json.dumps(fields({"a": [1]}, "a", int)) == "[1]"
