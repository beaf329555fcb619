"""Whatever a board answers, the host says so in one line and runs none of it."""

from __future__ import annotations

import functools
import io
import json
import re
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent import wire
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Runtimes
from edgenet.devices.archive import agent_archive
from edgenet.devices.channel import Channel
from edgenet.devices.replies import BoardError
from edgenet.devices.session import TurnForm
from edgenet.errors import ConnectionFailed, ConnectionLost, DeviceError, EdgenetError
from edgenet.facts import Facts
from edgenet.frame import Frame
from edgenet.steps.events import board_events


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
    ("header", "body"),
    [
        ({"rounds": 2, "parts_ms": [{}]}, bytes(8)),
        ({"rounds": 1, "parts_ms": [{}, {}]}, bytes(16)),
        ({"rounds": 1, "parts_ms": []}, bytes(8)),
        ({"rounds": 0, "parts_ms": [{}]}, b""),
        ({"rounds": 1, "parts_ms": [{"decode": "fast"}]}, bytes(8)),
        ({"rounds": 1, "parts_ms": [{}]}, np.array([np.inf]).tobytes()),
        ({"rounds": 1, "parts_ms": [{}]}, np.array([-1.0]).tobytes()),
        ({"rounds": 1 << 62, "parts_ms": [{}]}, bytes(8)),
        ({}, bytes(8)),
    ],
)
def test_strange_turns(header, body):
    session = agent((LOADED,), ({"id": 2, "ok": True},), ({"id": 3, "ok": True, **header}, body)).open(
        None, 1
    )
    with pytest.raises(DeviceError):
        session.turns({}, [TurnForm(Frame(16, 16), [b"image"])])


@pytest.mark.parametrize(
    "hello", [{}, {"protocol": 99}, {**HELLO, "agent": "f" * 64}, {"error": {"what": "no"}}]
)
def test_another_agent_is_refused(hello):
    connection = Recording(b"\nEDGENET ready\n" + wire.pack(hello))
    with pytest.raises(EdgenetError):
        Agent(connection)
    assert connection.closed


def test_hello_may_have_text_before():
    before = b"Welcome\nto EDGENET x\n\nEDGENET ready\n"
    assert agent(reply(facts={"cores": 4}), before=before).facts() == Facts(cores=4)


@pytest.mark.parametrize("line", [b"EDGENET nonsense \x1b[2J\n", b"EDGENET \n", b"EDGENET cannot-write /x\n"])
def test_odd_bootstrap_lines(line):
    with pytest.raises(ConnectionFailed) as caught:
        Agent(Recording(line))
    assert "\x1b" not in str(caught.value)


def test_progress_without_a_listener_is_dropped():
    assert agent(({"id": 1, "event": "progress"},), reply(facts={"cores": 4})).facts().cores == 4


DIGEST = "a" * 64
FINISHED = {"cached": False, "seconds": 2.5, "size": 9, "tensorrt": "10.3", "gpu": "Orin", "sm": "8.7"}
READY = {
    "event": "ready",
    "source": {"name": "s"},
    "models": [{"name": "m"}],
    "port": 8080,
    "token": "t" * 32,
    "key": "k" * 32,
}
KEPT = {"digest": DIGEST, "name": "n", "backend": "null", "since": 7, "runtime": None}
# What is asked for, and a whole answer to it.
ASKED = {
    "probe": (Agent.facts, {"facts": {"cores": 4, "isa": ["neon"], "clusters": [{"cores": [0]}]}}),
    "have": (lambda agent: agent.send_blobs([]), {"missing": [], "free": 1, "removed": ["old"]}),
    "runtimes": (Agent.runtimes, {"runtimes": [DIGEST]}),
    "unpack": (lambda agent: agent.unpack([]), {"runtime": DIGEST, "removed": []}),
    "try": (lambda agent: agent.try_runtime("null", None), {"works": True, "version": "1"}),
    "try, broken": (
        lambda agent: agent.try_runtime("null", None),
        {"works": False, "why": "no", "signal": "SIGILL"},
    ),
    "finish": (lambda agent: agent.finish({}), {"finished": FINISHED}),
    "deploy": (lambda agent: agent.deploy({}), {"changed": True}),
    "deployments": (
        Agent.deployments,
        {
            "current": DIGEST,
            "deployments": [{"digest": DIGEST, "name": "n", "backend": "null", "runtime": None}],
        },
    ),
    "status": (
        lambda agent: agent.upkeep.status(),
        {
            "board_id": "b",
            "current": KEPT,
            "previous": None,
            "deployments": [KEPT],
            "free_mb": 1.5,
            "temperature_c": None,
            "clock_s": 7.0,
            "last_report": {"at": 7, "digest": DIGEST, "fps": 3.5, "p99_ms": 1.5, "verdict": "VALID"},
            "history": [{"n": 1, "at_host": 7, "what": "deploy", "result": "ok", "told": {"x": [1]}}],
        },
    ),
    "place": (lambda agent: agent.upkeep.place({}), {"changed": True, "removed": ["old"]}),
    "switch": (lambda agent: agent.upkeep.switch(), {"changed": True, "digest": DIGEST, "name": "n"}),
    "check": (
        lambda agent: agent.upkeep.check({"digest": DIGEST}, "true", 1.0),
        {"exit_status": 0, "timed_out": False, "lines": ["well"]},
    ),
    "prune": (lambda agent: agent.upkeep.prune(1), {"removed": ["old"]}),
    "remove": (lambda agent: agent.upkeep.remove(DIGEST), {"removed": ["old"]}),
    "open": (
        lambda agent: agent.open(None, 1),
        {"runtime_version": "1", "memory_mb": {"peak": 3.5}, "described": {}, "start_ms": 1},
    ),
    "demo": (lambda agent: started(agent, []), {"summary": {"seconds": 1.5}}),
}
EVENTS = {
    "progress": {"event": "progress", "stage": "model", "done": 1, "of": 2},
    "measuring": {"event": "progress", "stage": "model", "runs": 3, "seconds": 0.5, "of_seconds": 2.0},
    "ready": READY,
    "tick": {"event": "tick", "state": {"frame": 1}, "answers": [{"frame": 1, "tops": [["cat", 0.5]]}]},
    "save": {"event": "save", "name": "snapshot-000001.jpg", "frame": 1, "answers": []},
}
HOSTILE = [None, True, -1, 1.5, 1e300, "", "text", "\x1b[2J\nand more", "x" * 20_000, [], [None], [[[]]], {}]
anything = st.recursive(
    st.sampled_from(HOSTILE) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def started(agent, told):
    return agent.demo({}, lambda event, _: told.append(event), threading.Event())


def places(value, path=()):
    """Every place within a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from places(item, (*path, key))


def changed(value, path, new):
    """A copy with another value at one place; ``...`` takes the member away."""
    copy = json.loads(json.dumps(value))
    inner = functools.reduce(lambda found, key: found[key], path[:-1], copy)
    if new is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copy


def refused_in_one_line(error):
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 1000


@pytest.mark.parametrize("name", ASKED)
def test_a_whole_answer_is_read(name):
    ask, answer = ASKED[name]
    ask(agent(reply(**answer)))


@pytest.mark.parametrize("name", ASKED)
@given(data=st.data())
def test_no_answer_ends_in_a_traceback(name, data):
    """One value of a whole answer is another, or not there: what comes is an answer, or one line."""
    ask, answer = ASKED[name]
    path = data.draw(st.sampled_from(list(places(answer))))
    wrong = changed(answer, path, data.draw(anything | st.just(...)))
    try:
        ask(agent(reply(**wrong)))
    except DeviceError as error:
        refused_in_one_line(error)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("probe", ("facts", "cores"), "4"),
        ("probe", ("facts", "cores"), ...),
        ("probe", ("facts", "cores"), 0),
        ("probe", ("facts", "clusters", 0, "cores"), [-1]),
        ("probe", ("facts",), []),
        ("have", ("removed",), "old"),
        ("runtimes", ("runtimes",), [7]),
        ("runtimes", ("runtimes",), ["a" * 65]),
        ("unpack", ("runtime",), None),
        ("try", ("works",), 1),
        ("try", ("version",), ...),
        ("try, broken", ("why",), ...),
        ("finish", ("finished", "size"), -1),
        ("finish", ("finished", "seconds"), "2"),
        ("deploy", ("changed",), "yes"),
        ("deployments", ("deployments", 0), "a"),
        ("deployments", ("current",), 1),
        ("status", ("current", "digest"), 7),
        ("status", ("free_mb",), ...),
        ("status", ("history", 0, "what"), None),
        ("status", ("last_report", "fps"), "fast"),
        ("switch", ("name",), ["n"]),
        ("check", ("exit_status",), "0"),
        ("prune", ("removed",), "old"),
        ("demo", ("summary",), []),
    ],
)
def test_an_answer_of_another_type_is_refused_and_named(name, path, value):
    ask, answer = ASKED[name]
    with pytest.raises(DeviceError, match=re.escape(str(path[-1] if isinstance(path[-1], str) else path[0]))):
        ask(agent(reply(**changed(answer, path, value))))


def test_a_list_beyond_all_bounds_is_refused():
    """A frame's header bounds what can come at all; each list has a bound of its own too."""
    with pytest.raises(ConnectionLost):
        agent(b"EDG1" + struct.pack(">II", 2_000_000, 0) + b'{"runtimes": [' + b'"a",' * 400_000).runtimes()
    with pytest.raises(DeviceError, match="at most"):
        Channel(Recording(b"")).parsed(Runtimes, {"runtimes": ["a"] * 1_000_001})


@pytest.mark.parametrize("name", EVENTS)
def test_a_whole_event_is_told(name):
    told = []
    event = ({**EVENTS[name], "id": 1}, b"")
    started(agent(event, reply(summary={})), told)
    (only,) = told
    assert only.to_table() == {key: value for key, value in EVENTS[name].items() if key != "event"}


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
def test_no_event_ends_in_a_traceback(name, data):
    """Neither of a demo, nor of another request, whose progress people read."""
    path = data.draw(st.sampled_from([place for place in places(EVENTS[name]) if place != ("event",)]))
    event = ({**changed(EVENTS[name], path, data.draw(anything | st.just(...))), "id": 1}, b"")
    shown = board_events(lambda *_: None)
    for ask in (lambda agent: started(agent, []), lambda agent: agent.finish({}, shown)):
        try:
            ask(agent(event, reply(summary={}, finished=FINISHED)))
        except DeviceError as error:
            refused_in_one_line(error)


def test_parts_that_are_no_list_are_refused():
    error = {"kind": wire.PART, "what": "lacking", "parts": "null"}
    with pytest.raises(DeviceError, match="parts"):
        agent(({"id": 1, "error": error},)).facts()
