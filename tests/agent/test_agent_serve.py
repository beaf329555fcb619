"""The main process, without a process."""

import io
import os

from edgenet_agent import parts, server, wire
from edgenet_agent.store import prune
from edgenet_agent.store.home import Store


def running(tmp_path):
    store, out = Store(str(tmp_path)), io.BytesIO()
    return store, out, server.Server(store, out, "d" * 64)


def test_a_silent_host_loses_the_lock_and_then_the_agent(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "LOCK_IDLE", 0.01)
    monkeypatch.setattr(server, "IDLE", 0.02)
    store, out, answering = running(tmp_path)
    answering.jobs.put(({"type": wire.BEGIN, "id": 5}, b""))
    answering.run()
    out.seek(0)
    assert wire.read_frame(out) == ({"ok": True, "id": 5, "signed_only": False}, b"")
    assert not store.locked
    other = Store(str(tmp_path))
    other.begin(0)
    other.release()


def test_every_request_has_an_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "LOCK_IDLE", 0.01)
    monkeypatch.setattr(server, "IDLE", 0.01)
    _, out, answering = running(tmp_path)
    kinds = [value for name, value in vars(wire).items() if name.isupper() and value in server._HANDLERS]
    assert sorted(kinds) == sorted(server._HANDLERS)
    strange = [{}, {"type": None}, {"type": ["put"]}, {"type": "put", "digest": 3, "size": 1, "offset": 0}]
    for number, request in enumerate([*strange, {"type": wire.CLOSE}, {"type": wire.BENCH}]):
        answering.jobs.put((dict(request, id=number), b""))
    answering.run()
    out.seek(0)
    replies = [frame[0] for frame in iter(lambda: wire.read_frame(out), None)]
    assert [reply["id"] for reply in replies] == [0, 1, 2, 3, 4, 5]
    assert [reply.get("error", {}).get("kind") for reply in replies] == [
        *["bad-request"] * 4,
        None,
        "not-open",
    ]


def test_making_room_keeps_the_parts_of_this_agent(tmp_path):
    store = Store(str(tmp_path))
    store.begin(0)
    part, old = parts.known()["runtimes/tflite"][0], "0" * 64
    for name in (part, old):
        with open(store.path("blobs", name), "wb") as stream:
            stream.write(b"x")
    assert prune.prune(store) == ["blob " + old[:12]]
    assert os.listdir(store.path("blobs")) == [part]
    store.release()


def test_a_request_without_its_part_says_which_and_does_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "LOCK_IDLE", 0.01)
    monkeypatch.setattr(server, "IDLE", 0.01)
    _, out, answering = running(tmp_path)
    answering.jobs.put(({"type": wire.PROBE, "id": 1, "backends": ["tflite", "onnxruntime"]}, b""))
    answering.jobs.put(({"type": wire.TRY_RUNTIME, "id": 2, "backend": "null"}, b""))
    answering.run()
    out.seek(0)
    errors = [frame[0]["error"] for frame in iter(lambda: wire.read_frame(out), None)]
    assert [(error["kind"], error["parts"]) for error in errors] == [
        (wire.PART, ["runtimes/tflite", "runtimes/onnxruntime"]),
        (wire.PART, ["runtimes/null"]),
    ]
