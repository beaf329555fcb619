"""Who falls silent is given up with one line; who works long, or over a slow way, is not.

Real processes, stopped for real; the limits are scaled down, so that each test takes seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.agent import wire
from edgenet.agent.server import _HANDLERS
from edgenet.board import Board
from edgenet.devices.agent import Agent
from edgenet.devices.bootstrap import BOOT
from edgenet.devices.deadlines import DEADLINES, Deadlines, Limit
from edgenet.devices.local import LocalConnection
from edgenet.devices.process import PipedConnection, PipedProcess
from edgenet.devices.ssh import SshConnection
from edgenet.devices.watch import Watch
from edgenet.errors import ConnectionFailed, ConnectionLost
from tests import sshd
from tests.pythons import python_with

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in Linux's /proc")

QUICK = Deadlines(beat_s=0.2, news_s=1.0, silence_s=4.0)
LONG = {"warmup_s": 0.0, "min_seconds": 600.0, "min_runs": 20, "max_seconds": 600.0, "pipeline": False}
BIG = os.urandom(8 << 20)


def total(kind, seconds):
    """Limits under which a request of one kind may take so long in all."""
    kinds = {**DEADLINES.kinds, kind: (DEADLINES.kinds[kind][0], seconds)}
    return replace(QUICK, kinds=kinds)


def given_up(caught, *words):
    """One line that says what was waited for; exit code 3."""
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    for word in words:
        assert word in caught.value.what


def child(pid, word):
    """The process below one whose last argument is ``word``."""
    for found in sshd.descendants(pid):
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{found}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            if line[-1] == word.encode():
                return found
    raise AssertionError(f"nothing that ends with {word}")


@pytest.fixture
def stop():
    """``stop(pid)`` until the test is over."""
    stopped = []

    def one(pid):
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)

    yield one
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def local(deadlines=QUICK, waiting=None):
    return Agent(LocalConnection(Board("local")), deadlines, waiting)


def pid_of(agent):
    return agent._connection.process.pid


# -- a stopped agent


def test_a_stopped_agent_is_given_up(stop):
    told, began = [], time.monotonic()
    with local(waiting=told.append) as agent:
        stop(pid_of(agent))
        with pytest.raises(ConnectionLost) as caught:
            agent.facts()
    given_up(caught, "stopped responding", "4 s", "the facts about the board")
    assert told == [{"stage": "waiting for the facts about the board"}]
    assert time.monotonic() - began < 20


def test_an_agent_that_is_stopped_while_it_is_sent_to_is_given_up(stop, make_blob, monkeypatch):
    monkeypatch.setattr("edgenet.devices.blobs.FIRST", 4 << 20)
    with local() as agent:
        agent.begin()
        stop(pid_of(agent))
        with pytest.raises(ConnectionLost) as caught:
            list(agent._sender.send(make_blob(BIG), 0))
    given_up(caught, "stopped responding", "a piece of a file")


def test_an_agent_that_is_stopped_while_it_measures_is_given_up(stop, net, picture):
    with local() as agent:
        net().deploy(agent)
        session = agent.open(None, 1)
        with pytest.raises(ConnectionLost) as caught:
            session.bench(LONG, [picture(1)], lambda event: stop(pid_of(agent)))
    given_up(caught, "stopped responding", "the measurement")


def test_an_agent_that_is_stopped_behind_a_living_sshd_is_given_up(board, stop, net, picture):
    with Agent(SshConnection(Board("board")), QUICK) as agent:
        net().deploy(agent)
        session = agent.open(None, 1)
        worker = child(board.process.pid, "worker")
        parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
        stop(parent)
        with pytest.raises(ConnectionLost) as caught:
            session.bench(LONG, [picture(1)])
    given_up(caught, "board stopped responding", "the measurement")


def test_a_stopped_server_is_given_up(board, stop):
    """All of it: ssh's own keep-alive would take 15 s."""
    with Agent(SshConnection(Board("board")), QUICK) as agent:
        for pid in [*board.sessions(), board.process.pid]:
            stop(pid)
        with pytest.raises(ConnectionLost) as caught:
            agent.deployments()
    given_up(caught, "board stopped responding", "the list of deployments")


# -- a stopped worker under a living agent


@pytest.mark.parametrize("device", ["local", "board"])
def test_a_stopped_worker_is_given_up_and_ended(device, request, stop, net, picture):
    root = request.getfixturevalue("board").process.pid if device == "board" else os.getpid()
    with Agent(
        LocalConnection(Board("local")) if device == "local" else SshConnection(Board(device)), QUICK
    ) as agent:
        net().deploy(agent)
        session = agent.open(None, 1)
        worker = child(root, "worker")
        stop(worker)
        with pytest.raises(ConnectionLost) as caught:
            session.bench(LONG, [picture(1)])
    given_up(caught, "the measurement", "process there is stopped")
    deadline = time.monotonic() + 5
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists(), "the agent ends it when the host goes"


def test_a_stopped_trial_is_given_up(stop, tmp_path, monkeypatch):
    told = tmp_path / "pid"
    source = (
        "import os, signal\nopen({!r}, 'w').write(str(os.getpid()))\nos.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    (tmp_path / "onnxruntime.py").write_text(source.format(str(told)))
    monkeypatch.setattr(sys, "executable", python_with(tmp_path, tmp_path / "python"))
    with local() as agent, pytest.raises(ConnectionLost) as caught:
        agent.try_runtime("onnxruntime", None)
    given_up(caught, "the runtime to be tried", "process there is stopped")
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(told.read_text()), signal.SIGKILL)  # nobody is left who would


def test_a_worker_that_goes_on_in_time_is_not_given_up(stop, net, picture):
    protocol = {**LONG, "min_seconds": 2.0}
    with local() as agent:
        net().deploy(agent)
        session = agent.open(None, 1)
        worker = child(os.getpid(), "worker")
        stop(worker)
        timer = threading.Timer(1.0, os.kill, (worker, signal.SIGCONT))
        timer.start()
        assert len(session.bench(protocol, [picture(1)]).model_ms)
        timer.join()


# -- long, but alive


def test_long_work_is_no_silence(net, picture):
    """Twice the limit without one event, as a build may be: the agent's heart beats."""
    told = []
    with local(waiting=told.append) as agent:
        net(sleep_ms=10000).deploy(agent)
        began = time.monotonic()
        agent.open(None, 1)
        assert time.monotonic() - began > 2 * QUICK.silence_s
    assert told == [{"stage": "waiting for the model to be loaded"}]


SLOW_LINK = """
import os, subprocess, sys, threading, time
agent = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
rate = float(sys.argv[1])
def carry(source, drain):
    while True:
        piece = os.read(source, 1024)
        if not piece:
            break
        time.sleep(len(piece) / rate)
        while piece:
            piece = piece[os.write(drain, piece):]
    os.close(drain)
threading.Thread(target=carry, args=(agent.stdout.fileno(), 1), daemon=True).start()
carry(0, agent.stdin.fileno())
sys.exit(agent.wait())
"""


class Slow(LocalConnection):
    """This machine behind a line of so many bytes a second."""

    def __init__(self, rate):
        super().__init__(Board("local"))
        self.rate = rate

    def start(self, digest, size):
        agent = [sys.executable, "-c", BOOT, digest, str(size)]
        self._process = PipedProcess([sys.executable, "-c", SLOW_LINK, str(self.rate), *agent])
        return 0


def test_a_slow_transfer_is_no_silence(make_blob, net, picture):
    """A piece takes longer than the limit of silence, and so do the samples that come back."""
    with local() as agent:
        net().deploy(agent)  # the agent is there already
    blob = make_blob(os.urandom(150_000))
    with Agent(Slow(30_000.0), Deadlines(beat_s=0.2, silence_s=1.0)) as agent:
        agent.begin()
        agent.send_blobs([blob])
        session = agent.open(net().digest, 1)
        (answer,) = session.replay([picture(1)])
        assert len(answer.output) == 5
        began = time.monotonic()
        result = session.bench({**LONG, "min_seconds": 0.0, "min_runs": 10_000}, [picture(1)])
        assert len(result.model_ms) == 10_000
        assert time.monotonic() - began > 2.0


def test_a_transfer_that_is_cut_five_times_on_a_slow_way_is_done(make_blob, net):
    """4 kB/s cut every 25 s, ten times as fast: three tries of it kept 0 bytes before, and it never ended."""
    with local() as agent:
        net().deploy(agent)
        big = net("big", padding="x" * 400_000)
    sent, cuts = [], 0
    for limit in (40_000, 40_000, 40_000, 40_000, 40_000, None):
        with Agent(Slow(40_000.0)) as agent:
            agent.begin()
            before = agent.bytes_sent

            def cut(event, limit=limit, agent=agent):
                if limit is not None and event["bytes"] >= limit:
                    agent._connection.cut()

            try:
                agent.send_blobs([big.blob], cut)
                agent.deploy(big.manifest())
            except ConnectionLost:
                cuts += 1
            sent.append(agent.bytes_sent - before)
    assert cuts == 5
    assert sum(sent) < len(big.data) + 5 * 40_000, "what had arrived is not sent twice"
    with local() as agent:
        assert agent.deployments().current == big.digest
        before = agent.bytes_sent
        agent.begin()
        agent.send_blobs([big.blob])
        assert not agent.deploy(big.manifest())
        assert agent.bytes_sent - before <= 4096


def test_pieces_shrink_on_a_slow_way_and_grow_on_a_quick_one(make_blob, monkeypatch):
    monkeypatch.setattr("edgenet.devices.blobs.SLOW_S", 0.5)
    monkeypatch.setattr("edgenet.devices.blobs.QUICK_S", 0.1)
    with local() as agent:
        agent.begin()
        assert max(agent._sender.send(make_blob(BIG), 0)) == 512 * 1024
    with Agent(Slow(60_000.0)) as agent:
        agent.begin()
        assert min(agent._sender.send(make_blob(BIG[:200_000]), 0)) <= 16 * 1024


# -- boards that are no boards

FAKE = """
import json, struct, sys, time
def frame(**header):
    text = json.dumps(header).encode()
    return b"EDG1" + struct.pack(">II", len(text), 0) + text
def say(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
say(b"EDGENET ready\\n" + frame(hello="edgenet", protocol=1, agent=sys.argv[1]))
"""
DRIPS = (
    "for byte in frame(id=1, ok=True, facts={}, more='x' * 10000):\n  say(bytes([byte]))\n  time.sleep(0.1)\n"
)
TELLS = "while True:\n  say(frame(id=1, event='progress', stage='soon'))\n  time.sleep(0.1)\n"
BEATS = "while True:\n  say(frame(id=1, event='alive'))\n  time.sleep(0.1)\n"
NEVER = "time.sleep(600)\n"
CHATS = "while True:\n  say(b'Welcome\\n')\n  time.sleep(0.1)\n"


class Fake(PipedConnection):
    """A program that says what a board would."""

    name = "pi"

    def __init__(self, program):
        super().__init__()
        self.program = program

    def start(self, digest, size):
        self._process = PipedProcess([sys.executable, "-u", "-c", self.program, digest])
        return 0

    def failed(self, said):
        return ConnectionFailed(f"pi did not start: {said}", "look at it")

    def lost(self):
        return ConnectionLost("pi: the streams ended", "look at it")


@pytest.mark.parametrize(
    ("does", "deadlines", "words"),
    [
        (NEVER, QUICK, "stopped responding: waited 4 s for the facts"),
        (DRIPS, QUICK, "stopped responding: waited 4 s for the facts"),
        (TELLS, total("probe", 3.0), "took too long: waited 3 s in all for the facts"),
        (BEATS, total("probe", 3.0), "took too long: waited 3 s in all for the facts"),
    ],
    ids=["never answers", "drips", "tells progress for ever", "beats for ever"],
)
def test_a_board_that_does_not_answer_is_given_up(does, deadlines, words):
    began = time.monotonic()
    with Agent(Fake(FAKE + does), deadlines) as agent, pytest.raises(ConnectionLost) as caught:
        agent.facts()
    given_up(caught, words)
    assert time.monotonic() - began < 20


def test_a_demo_that_does_not_end_when_it_is_told_to_is_given_up():
    stop, ticks = threading.Event(), []

    def tick(event, body):
        ticks.append(event)
        if len(ticks) == 10:
            stop.set()

    endless = TELLS.replace("'progress', stage='soon'", "'tick', state={}")
    with Agent(Fake(FAKE + endless), QUICK) as agent, pytest.raises(ConnectionLost) as caught:
        agent.demo({}, tick, stop)
    given_up(caught, "took too long", "the demo to end")


@pytest.mark.parametrize("program", [NEVER, CHATS], ids=["silent", "chatting"])
def test_a_board_that_never_starts_the_agent_is_given_up(program):
    prelude = "import sys, time\ndef say(data):\n  sys.stdout.buffer.write(data)\n  sys.stdout.flush()\n"
    with pytest.raises(ConnectionFailed) as caught:
        Agent(Fake(prelude + program), Deadlines(start_s=1.0))
    given_up(caught, "waited 1 s")


# -- the watch itself


def watching(limit, told=None):
    cuts = []
    tell = (lambda line: None) if told is None else told.append
    return Watch("pi", limit, 0.2, lambda: cuts.append(1), tell), cuts


def test_own_work_is_no_silence_of_the_board():
    watch, cuts = watching(Limit("it", 0.2, 0.2))
    with watch:
        time.sleep(0.6)
        assert not cuts
        with watch.waiting():
            time.sleep(0.6)
    assert cuts
    assert watch.error is not None


def test_people_are_told_once_until_there_is_news():
    told = []
    watch, _ = watching(Limit("it", 60.0, None), told)
    with watch, watch.waiting():
        time.sleep(0.8)
        watch.beat(False)
        time.sleep(0.4)
        assert told == ["waiting for it"]
        watch.news()
        time.sleep(0.8)
    assert told == ["waiting for it"] * 2


def test_every_request_has_words_and_an_end():
    assert set(DEADLINES.kinds) == set(_HANDLERS)
    endless = {kind for kind in DEADLINES.kinds if DEADLINES.limit(kind, {}).total_s is None}
    assert endless == {wire.DEMO}, "only a demo goes on until somebody stops it"


def test_the_limits_are_stated_in_the_docs():
    text = (Path(__file__).parents[2] / "docs/agent-protocol.md").read_text()
    for kind, (what, seconds) in DEADLINES.kinds.items():
        assert f"| `{kind}` | {what} | {'no limit' if seconds is None else f'{seconds:g}'}" in text
    for name, seconds in (("silence", "silence_s"), ("news", "news_s"), ("start", "start_s")):
        assert f"| {name} | {getattr(DEADLINES, seconds):g} |" in text


def test_a_bench_may_take_what_its_protocol_allows():
    protocol = {"warmup_s": 2.0, "cooldown_s": 60.0, "min_seconds": 600.0, "max_seconds": 1200.0}
    limit = DEADLINES.limit(wire.BENCH, {"protocol": protocol}).total_s
    assert limit is not None
    assert limit > 2 * (60 + 3 * 2 + 1200) + 3600


def test_a_closed_connection_waits_for_nobody(stop):
    """Ctrl-C while the pipe to a stopped agent is full: what is left to write is given up."""
    with local() as agent:
        stop(pid_of(agent))
        with contextlib.suppress(BlockingIOError):
            os.set_blocking(agent._connection.stdin.fileno(), False)
            agent._connection.stdin.write(bytes(100_000))
        os.set_blocking(agent._connection.stdin.fileno(), True)
        began = time.monotonic()
        agent.close()
        assert time.monotonic() - began < 10
