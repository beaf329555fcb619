"""A demo on a board, its ends and its faults, through a real sshd; the do-nothing runtime keeps it quick."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgenet.agent import live as agent_live
from edgenet.agent.demo import gate
from edgenet.devices import connect as device
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Deployments
from edgenet.devices.archive import demo_archive
from edgenet.devices.blobs import Blob
from edgenet.devices.connect import connect
from edgenet.devices.deadlines import Deadlines
from edgenet.devices.events import DemoPicture, DemoReady, DemoTick
from edgenet.devices.live import LiveEvent, PortForward
from edgenet.devices.replies import BoardError
from edgenet.errors import ConnectionLost, DeviceError, ReportError
from edgenet.library import image_folder
from edgenet.steps.demo import _ready
from tests import sshd

PICTURES = sorted(image_folder("signs", "calib").glob("*.jpg"))[:6]


class Run:
    """A demo under way in a thread."""

    def __init__(self, agent: Agent, request: dict[str, Any], door: PortForward | None = None) -> None:
        self.events: list[LiveEvent] = []
        self.stop, self.ready = threading.Event(), threading.Event()
        self.summary: Mapping[str, Any] = {}
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._work, args=(agent, request, door), daemon=True)
        self._thread.start()

    def _work(self, agent: Agent, request: dict[str, Any], door: PortForward | None) -> None:
        try:
            self.summary = agent.demo(request, self._event, self.stop, door)
        except DeviceError as error:
            self.error = error
        self.ready.set()

    def _event(self, event: LiveEvent, body: bytes) -> str | None:
        self.events.append(event)
        if isinstance(event, DemoPicture):
            return "the disk is full"
        if isinstance(event, DemoReady):
            self.ready.set()
        return None

    def answered(self) -> int:
        ticks = self.ticks()
        return int(ticks[-1].state["counts"]["answered"]) if ticks else 0

    def ticks(self) -> list[DemoTick]:
        return [event for event in list(self.events) if isinstance(event, DemoTick)]

    def until(self, condition: Callable[[], Any], seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._thread.is_alive(), self.error
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def join(self, seconds: float = 15.0) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive()


def request(agent: Agent, nets: list[Any], source: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Send everything; the order of a demo."""
    archive = demo_archive()
    program = Blob(archive.digest, len(archive.data), lambda: io.BytesIO(archive.data))
    agent.begin()
    agent.send_blobs([program, *(net.blob for net in nets)])
    agent.end()
    return {
        "program": archive.digest,
        "models": [{"manifest": net.manifest(), "threads": 1} for net in nets],
        "source": source,
        "page": False,
        "port": 0,
        "seconds": None,
        "log": False,
        **more,
    }


def folder(**more: Any) -> dict[str, Any]:
    return {"kind": "folder", "paths": [str(path) for path in PICTURES], "fps": 100, **more}


def gone(board: sshd.Board, seconds: float = 8.0) -> bool:
    deadline = time.monotonic() + seconds
    while board.sessions() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not board.sessions()


def test_a_source_that_ends_ends_the_demo_with_a_summary(board, net) -> None:
    with connect("board") as agent:
        run = Run(agent, request(agent, [net()], folder(), log=True))
        run.join()
        frames = run.summary["frames"]
        assert frames["captured"] == len(PICTURES)
        assert frames["answered"] + frames["dropped"] == len(PICTURES)
        answers = [answer for event in run.ticks() for answer in event.answers]
        assert len(answers) == frames["answered"]
        assert agent.deployments() == Deployments(deployments=()), "nothing was deployed"


def test_two_models_of_two_processes_answer_the_same_frames(board, net) -> None:
    with connect("board") as agent:
        nets = [net("a"), net("b", outputs=4)]
        run = Run(agent, request(agent, nets, folder(loop=True), seconds=3.0))
        run.join()
    assert run.summary["frames"]["compared"] == run.summary["frames"]["answered"] > 5
    assert [model["name"] for model in run.summary["models"]] == ["a", "b"]


def test_broken_pictures_are_counted_and_skipped(board, net, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(PICTURES[0].read_bytes()[:700])
    (tmp_path / "none.jpg").write_bytes(b"nothing")
    paths = [str(PICTURES[0]), str(tmp_path / "broken.jpg"), str(tmp_path / "none.jpg"), str(PICTURES[1])]
    with connect("board") as agent:
        run = Run(agent, request(agent, [net()], {"kind": "folder", "paths": paths, "fps": 10}))
        run.join()
    assert run.summary["frames"]["damaged"] == 2
    assert run.summary["frames"]["answered"] == 2


def test_a_model_that_dies_is_an_error_with_its_signal(board, net) -> None:
    killer = net("dying", fail={"at": "invoke", "signal": "SIGILL"})
    with connect("board") as agent:
        run = Run(agent, request(agent, [killer], folder()))
        run.join()
    assert isinstance(run.error, BoardError)
    assert (run.error.kind, run.error.facts["signal"]) == ("died", "SIGILL")


def test_a_stopped_process_of_a_demo_is_given_up(board, net, monkeypatch) -> None:
    """Its pictures come, its events come: only answers do not."""
    monkeypatch.setattr(device, "DEADLINES", Deadlines(beat_s=0.2, silence_s=3.0))
    with connect("board") as agent:
        run = Run(agent, request(agent, [net()], folder(loop=True)))
        run.until(run.answered)
        (worker,) = (pid for pid in board.sessions() if is_worker(pid))
        os.kill(worker, signal.SIGSTOP)
        run.join()
    assert isinstance(run.error, ConnectionLost)
    assert "waited 3 s for the demo, whose process there is stopped" in run.error.what
    assert gone(board)
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)  # nobody is left who would


def is_worker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"\0worker\0")
    return False


def test_no_camera_is_an_error_that_says_what_to_do(board, net) -> None:
    with connect("board") as agent:
        run = Run(agent, request(agent, [net()], {"kind": "v4l2", "paths": ["/dev/video99"]}))
        run.join()
        assert isinstance(run.error, BoardError)
        assert "video99" in str(run.error)
        assert run.error.remedy
        assert agent.facts().python, "the agent is there for the next request"


def test_the_page_comes_through_the_one_connection(board, net) -> None:
    """Two demos at once, each with its own page; a token of one is nothing to the other."""
    with contextlib.ExitStack() as stack:
        runs, doors = [], []
        for _ in range(2):
            agent = stack.enter_context(connect("board"))
            doors.append(stack.enter_context(contextlib.closing(PortForward(0))))
            runs.append(Run(agent, request(agent, [net()], folder(loop=True), page=True), doors[-1]))
        for run in runs:
            run.until(run.ready.is_set)
        ready = [next(event for event in run.events if isinstance(event, DemoReady)) for run in runs]
        for index, door in enumerate(doors):
            for other, said in enumerate(ready):
                status = get(door.port, f"/state HTTP/1.1\r\nAuthorization: Bearer {said.key}")[0]
                assert status == (200 if other == index else 403)
        for run in runs:
            run.until(run.answered)
            run.stop.set()
        for run in runs:
            run.join()
            assert run.summary["frames"]["answered"] > 0


def test_who_does_not_bring_the_key_takes_neither_threads_nor_places(board, net) -> None:
    """Silent ones, and ones that ask and do not read: this end bounds them before they go through ssh."""
    with (
        connect("board") as agent,
        contextlib.closing(PortForward(0)) as door,
        contextlib.ExitStack() as held,
    ):
        run = Run(agent, request(agent, [net()], folder(loop=True), page=True), door)
        run.until(run.ready.is_set)
        key = next(event for event in run.events if isinstance(event, DemoReady)).key
        door.key = key
        before = threading.active_count()
        for number in range(400):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", door.port), 5))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            if number % 2:
                with contextlib.suppress(OSError):
                    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if number % 50 == 0:
                asked = f"/state HTTP/1.1\r\nAuthorization: Bearer {key}"
                assert get(door.port, asked)[0] == 200
        assert get(door.port, asked)[0] == 200
        assert threading.active_count() <= before + 2 * gate.MAX_WAITING
        run.until(lambda: threading.active_count() <= before, gate.WAIT_S + 10)
        run.stop.set()
        run.join()


def test_a_viewer_who_has_the_key_may_stay(board, net, monkeypatch) -> None:
    """The time for the door is not the time for the visit; on the board's side neither."""
    monkeypatch.setattr(gate, "WAIT_S", 0.5)
    with connect("board") as agent, contextlib.closing(PortForward(0)) as door:
        run = Run(agent, request(agent, [net()], folder(loop=True), page=True), door)
        run.until(run.ready.is_set)
        door.key = key = next(event for event in run.events if isinstance(event, DemoReady)).key
        with socket.create_connection(("127.0.0.1", door.port), 5) as viewer:
            ask = f"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
            viewer.sendall(ask.encode())
            until = time.monotonic() + 2.0
            while time.monotonic() < until:
                assert viewer.recv(65536)
        run.stop.set()
        run.join()


@pytest.mark.parametrize("name", ["token", "key"])
@pytest.mark.parametrize(
    "value", [None, 7, "", "short", "a" * 1000, "aaaaaaaaaaaaaaaa\n", '"><script>aaaaaaa']
)
def test_a_board_cannot_put_anything_else_into_the_address(name: str, value: object) -> None:
    ready = {"source": {}, "models": [], "port": 80, "token": "t" * 32, "key": "k" * 32}
    assert _ready(DemoReady.from_table(ready), None).url == "http://127.0.0.1:80/#" + "t" * 32
    with pytest.raises(ReportError, match=name):
        DemoReady.from_table({**ready, name: value})


def test_a_second_address_is_another_token_and_held_to_the_same_rule() -> None:
    ready = {"source": {}, "models": [], "port": 80, "token": "t" * 32, "key": "k" * 32}
    assert _ready(DemoReady.from_table(ready), None).phone is None
    phone = DemoReady.from_table({**ready, "phone": "p" * 32})
    assert _ready(phone, None).phone == "http://127.0.0.1:80/#" + "p" * 32
    with pytest.raises(ReportError, match="phone"):
        DemoReady.from_table({**ready, "phone": '"><script>aaaaaaa'})


def get(port: int, request: str, verb: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.settimeout(30)
        head = f"{verb} {request}\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(data.split()[1]), data.partition(b"\r\n\r\n")[2]


def test_the_page_changes_the_source_and_one_that_is_not_there_changes_nothing(board, net, tmp_path) -> None:
    other = {"kind": "video", "name": "other.mjpg", "paths": [str(tmp_path / "other.mjpg")], "loop": True}
    (tmp_path / "other.mjpg").write_bytes(b"".join(path.read_bytes() for path in PICTURES[:5]))
    with connect("board") as agent, contextlib.closing(PortForward(0)) as door:
        order = request(agent, [net()], folder(loop=True, name="first"), page=True, others=[other])
        run = Run(agent, order, door)
        run.until(run.ready.is_set)
        door.key = key = next(event for event in run.events if isinstance(event, DemoReady)).key

        def act(**order: Any) -> tuple[int, bytes]:
            body = json.dumps(order).encode()
            head = f"/do HTTP/1.1\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}"
            return get(door.port, head, "POST", body)

        def choose(name: str) -> tuple[int, bytes]:
            return act(do="source", id=name)

        listed = get(door.port, f"/sources HTTP/1.1\r\nAuthorization: Bearer {key}")[1]
        offers = [offer["id"] for offer in json.loads(listed)["offers"]]
        assert offers[:2] == ["folder", "video"]
        assert choose("video")[0] == 200
        run.until(lambda: run.ticks() and run.ticks()[-1].state["source"]["name"] == "other.mjpg")
        assert run.ticks()[-1].state["source"]["id"] == "video"
        before = run.answered()
        run.until(lambda: run.answered() > before + 3)
        (tmp_path / "gone").mkdir()
        Path(other["paths"][0]).rename(tmp_path / "gone" / "other.mjpg")
        assert choose("folder")[0] == 200
        status, why = choose("video")
        assert status == 409
        assert b"other.mjpg" in why
        before = run.answered()
        run.until(lambda: run.answered() > before + 3)
        assert run.ticks()[-1].state["source"]["name"] == "first"
        assert act(do="record", on=True)[0] == 200
        run.until(lambda: run.ticks()[-1].state["collecting"]["trouble"] == "the disk is full")
        state = run.ticks()[-1].state
        assert (state["recording"], state["saved"]["drift"]) == (False, 0), "and the demo goes on"
        run.stop.set()
        run.join()
    assert run.error is None


def test_a_port_in_use_is_one_line_with_the_remedy() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(DeviceError, match="cannot be used") as caught,
    ):
        PortForward(taken.getsockname()[1])
    assert "--port" in caught.value.remedy


def test_when_ssh_is_cut_the_board_ends_everything_and_lets_the_camera_go(start_board, net, tmp_path) -> None:
    log, camera = tmp_path / "log", tmp_path / "bin" / "rpicam-vid"
    camera.parent.mkdir()
    camera.write_text(
        f"#!{sys.executable}\nimport os, signal, time\npicture = open({str(PICTURES[0])!r}, 'rb').read()\n"
        f"def stop(*_): open({str(log)!r}, 'w').write('released'); os._exit(0)\n"
        "signal.signal(signal.SIGINT, stop)\nwhile True:\n    os.write(1, picture); time.sleep(0.02)\n"
    )
    camera.chmod(0o755)
    path = f"{camera.parent}{os.pathsep}{os.environ['PATH']}"
    board = start_board({"EDGENET_PYTHON": sys.executable, "PATH": path})
    with contextlib.closing(connect("board")) as agent:
        run = Run(agent, request(agent, [net()], {"kind": "rpicam"}))
        run.until(lambda: run.answered() > 5)
        os.kill(agent._connection.process.pid, signal.SIGKILL)
        run.join()
        assert isinstance(run.error, ConnectionLost)
    assert gone(board)
    deadline = time.monotonic() + 10
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert log.read_text() == "released"


def test_ctrl_c_ends_it_at_any_time(board, tmp_path: Path) -> None:
    """Early: exit 130 and nothing left. Later: a summary and exit 0."""
    command = [sys.executable, "-m", "edgenet", "demo", "--device", "board", "--json", "--no-page"]
    for wait_for, codes in ((b"edgenet: connecting to board", (130,)), (b"Ctrl-C ends it", (0,))):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = b""
        while wait_for not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert process.returncode in codes, errors
        assert b"Traceback" not in errors
        if wait_for == b"Ctrl-C ends it":
            assert json.loads(out)["frames"]["answered"] > 0
        assert gone(board)


def test_a_silent_host_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cable cut without a word: no frame for so long, and the agent ends."""
    ended: list[int] = []
    watched = agent_live.Live.__new__(agent_live.Live)
    watched._over = threading.Event()
    life = type("Beat", (), {"heard": time.monotonic() - agent_live.wire.GONE_S - 1})
    watched._server = type("Server", (), {"life": life})
    watched._child = type("Child", (), {"close_stdin": staticmethod(lambda: ended.append(0))})

    def leave(code: int) -> None:
        ended.append(code)
        watched._over.set()

    monkeypatch.setattr(agent_live.os, "_exit", leave)
    watched._watch()
    assert ended == [0, 1]
