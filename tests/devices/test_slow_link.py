"""A line of 4 kB/s that is cut again and again: each time what came stays, and at last the deploy is done.

Time runs sixteen times as fast here: the line carries 64 kB/s and the limits are a sixteenth, so every
number of bytes is what it is in the field.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from edgenet.agent import wire
from edgenet.bundle import Bundle, pack
from edgenet.devices import blobs
from edgenet.devices import connect as device
from edgenet.devices.agent import Agent
from edgenet.devices.archive import agent_archive
from edgenet.devices.connect import connect
from edgenet.devices.deadlines import Deadlines
from edgenet.devices.replies import BoardError
from edgenet.errors import EdgenetError
from edgenet.steps.deploy import deploy
from tests.manifests import manifest

FASTER = 16
RATE = 4_000 * FASTER
PIECE = 1024


class Line:
    """A way to the board that carries so many bytes a second towards it, and may break after some.

    Attributes:
        port: Where it begins.
        carried: Bytes carried towards the board, of each connection.
        left: After how many more bytes it breaks; ``None`` for never.
    """

    def __init__(self, board: int) -> None:
        self._board = board
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.carried: list[int] = []
        self.left: int | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._server.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._board))
                self.carried.append(0)
                for one, other, rate in ((near, far, RATE), (far, near, None)):
                    threading.Thread(target=self._carry, args=(one, other, rate), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, rate: int | None) -> None:
        due = time.monotonic()
        with contextlib.suppress(OSError):
            while piece := one.recv(PIECE):
                if rate is not None:
                    due = max(due, time.monotonic() - 0.05) + len(piece) / rate
                    time.sleep(max(0.0, due - time.monotonic()))
                    self.carried[-1] += len(piece)
                    if self.left is not None:
                        self.left -= len(piece)
                        if self.left < 0:
                            break
                other.sendall(piece)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        one.close()

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def line(board, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Between this machine and the board; its limits are of a sixteenth too."""
    found = Line(board.port)
    config = board.config.read_text(encoding="utf-8")
    config = config.replace(
        f"Port {board.port}", f"Port {found.port}\n  HostKeyAlias [127.0.0.1]:{board.port}"
    )
    board.config.write_text(config, encoding="utf-8")
    full = Deadlines()
    monkeypatch.setattr(device, "DEADLINES", Deadlines(full.beat_s / FASTER, 1.0, full.silence_s / FASTER))
    monkeypatch.setattr(blobs, "QUICK_S", blobs.QUICK_S / FASTER)
    monkeypatch.setattr(blobs, "SLOW_S", blobs.SLOW_S / FASTER)
    facts = Agent.facts
    monkeypatch.setattr(Agent, "facts", lambda self, _=(): facts(self).changed(runtimes={"null": "1"}))
    yield found
    found.close()


def bundle(net, fill: int) -> Bundle:
    """A bundle for the do-nothing runtime whose artifact has so many bytes that nothing packs."""
    data = net("far", shape=[1, 8, 8, 3], ballast=os.urandom(fill // 2).hex()).data
    return Bundle.parse(pack(manifest("far", "null", "a.json", "a.json"), {"a.json": data}))


def test_five_cuts_and_the_deploy_is_done(board, line: Line, net) -> None:
    """Each line lasts for 60 kB, a quarter of a minute in the field: less than the agent alone needs."""
    sent = bundle(net, 300_000)
    told: list[tuple[str, int, int | None]] = []
    for _ in range(5):
        line.left = 60_000
        with pytest.raises(EdgenetError) as caught:
            deploy(sent, "board", lambda *step: told.append(step))
        assert caught.value.exit_code == 3
    line.left = None
    made = deploy(sent, "board", lambda *step: told.append(step))
    assert made.changed
    needed = len(agent_archive().data) + len(sent.artifact)
    wasted = sum(line.carried) - needed
    # Of each connection: ssh's own words, the script, messages, and at most the piece on its way.
    assert wasted < 6 * 25_000, "what came before a cut was not sent again"
    steps = [done for stage, done, _ in told if stage.startswith("sending")]
    assert len(set(steps)) > 5, "progress is told by bytes"
    with connect("board") as agent:
        assert agent.open(None, 1).loaded.runtime_version == "1"
    assert deploy(sent, "board").bytes_sent <= 4096


def test_the_agent_comes_in_parts_too(board, line: Line) -> None:
    line.left = 60_000
    with pytest.raises(EdgenetError) as caught:
        connect("board")
    assert caught.value.exit_code == 3
    deadline = time.monotonic() + 10
    while not (kept := list((board.edgenet_home / "agent").glob("*.part"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    part = kept[0].stat().st_size
    assert part > 10_000
    line.left = None
    with connect("board") as agent:
        assert agent.bytes_sent < len(agent_archive().data) - part + 5_000
    assert [path.name for path in (board.edgenet_home / "agent").iterdir()] == [
        agent_archive().digest + ".pyz"
    ]


def test_a_damaged_part_of_the_agent_is_forgotten(board) -> None:
    folder = board.edgenet_home / "agent"
    folder.mkdir(0o700, parents=True)
    board.edgenet_home.chmod(0o700)
    (folder / f"{agent_archive().digest}.pyz.part").write_bytes(b"not of it")
    with pytest.raises(EdgenetError, match="arrived damaged"):
        connect("board")
    assert list(folder.iterdir()) == []
    connect("board").close()


def test_the_lock_lives_as_long_as_bytes_flow(board, line: Line, make_blob) -> None:
    """A piece takes longer than the beat; nobody else gets the lock meanwhile."""
    blob = make_blob(os.urandom(150_000))
    refused: list[str] = []

    def other(_: object) -> None:
        if not refused:
            with connect("board") as second, pytest.raises(BoardError) as caught:
                second.begin(wait=0.1)
            refused.append(caught.value.kind)

    with connect("board") as first:
        first.begin()
        first.send_blobs([blob], other)
        first.end()
    assert refused == [wire.LOCKED]
