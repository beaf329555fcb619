"""Cameras with a password: they let us in, and nobody else sees it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import shutil
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edgenet_agent import wire

from edgenet.agent.demo import sources
from edgenet.agent.demo.pipeline import Pipeline
from edgenet.agent.demo.sources import network
from edgenet.agent.demo.sources.base import Lost, Source
from edgenet.agent.failure import Failure
from tests.agent.demo.test_sources import PICTURES

SECRET = "s3cr%40t"  # as it stands in the address; it means "s3cr@t"
BASIC = "Basic " + base64.b64encode(b"user:s3cr@t").decode()
FFMPEG = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")


@contextlib.contextmanager
def served(server: socketserver.BaseServer) -> Iterator[int]:
    with server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]  # type: ignore[index]
        server.shutdown()


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Ten seconds of video as an MPEG transport stream."""
    path = tmp_path_factory.mktemp("video") / "video.ts"
    command = (
        "ffmpeg -nostdin -loglevel error -f lavfi -i testsrc=size=64x48:rate=10 -t 10 -c:v mpeg2video -g 5"
    )
    subprocess.run([*command.split(), str(path)], check=True)
    return path.read_bytes()


class Rtsp(socketserver.StreamRequestHandler):
    """A camera: RTSP (RFC 2326) with Basic authentication, RTP (RFC 2250) in its TCP connection."""

    stream = b""
    seen: list[str]

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while request := self._request():
                self._answer(*request)

    def _request(self) -> tuple[str, dict[str, str]] | None:
        first = self.rfile.readline().decode()
        if not first:
            return None
        self.seen.append(first)
        lines = iter(lambda: self.rfile.readline().decode().strip(), "")
        return first.split()[0], dict(line.split(": ", 1) for line in lines)

    def _answer(self, method: str, headers: dict[str, str]) -> None:
        if method == "OPTIONS":
            self._reply(headers, "200 OK", "Public: DESCRIBE, SETUP, PLAY")
        elif headers.get("Authorization") != BASIC:
            self._reply(headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
        elif method == "DESCRIBE":
            sdp = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\n"
            self._reply(headers, "200 OK", "Content-Type: application/sdp", body=sdp)
        elif method == "SETUP":
            assert "TCP" in headers["Transport"], "datagrams get lost"
            self._reply(headers, "200 OK", "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        else:
            self._reply(headers, "200 OK", "Session: 1")
        if method == "PLAY":
            self._play()

    def _reply(self, headers: dict[str, str], status: str, *lines: str, body: bytes = b"") -> None:
        head = [
            f"RTSP/1.0 {status}",
            f"CSeq: {headers['CSeq']}",
            f"Content-Length: {len(body)}",
            *lines,
            "",
            "",
        ]
        self.wfile.write("\r\n".join(head).encode() + body)

    def _play(self) -> None:
        size = 7 * 188
        for number, start in enumerate(range(0, len(self.stream), size)):
            rtp = b"\x80\x21" + number.to_bytes(2, "big") + (number * 900).to_bytes(4, "big") + b"cam0"
            rtp += self.stream[start : start + size]
            self.wfile.write(b"$\0" + len(rtp).to_bytes(2, "big") + rtp)
            time.sleep(0.01)


@pytest.fixture
def camera(stream: bytes) -> Iterator[Any]:
    handler = type("Camera", (Rtsp,), {"stream": stream, "seen": []})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with served(server) as port:
        handler.port = port  # type: ignore[attr-defined]
        yield handler


def everybody_sees() -> str:
    """The command lines of all processes but this one's own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(found)


def options(address: str) -> dict[str, Any]:
    return {"kind": "address", "address": address}


@FFMPEG
@pytest.mark.parametrize("path", ["stream", "it's?channel=1&pwd=s3cr%40t"])
def test_rtsp_with_a_password_shows_it_to_nobody(camera: Any, path: str) -> None:
    source = sources.open_source(options(f"rtsp://user:{SECRET}@127.0.0.1:{camera.port}/{path}"))
    try:
        assert source.read().size == (64, 48)
        seen = everybody_sees()
        assert "ffmpeg" in seen
        assert SECRET not in seen
        assert SECRET not in source.name
        describe = next(line for line in camera.seen if line.startswith("DESCRIBE"))
        assert describe.split()[1] == f"rtsp://127.0.0.1:{camera.port}/{path}", "the camera gets it as it is"
    finally:
        source.close()


@FFMPEG
def test_what_ffmpeg_says_of_a_wrong_password_holds_none(camera: Any) -> None:
    with pytest.raises(Failure) as caught:
        sources.open_source(options(f"rtsp://user:wrong@127.0.0.1:{camera.port}/x?pwd=also-wrong"))
    what = caught.value.as_json()["what"]
    assert "wrong" not in what
    assert "401" in what


@FFMPEG
def test_an_older_ffmpeg_chooses_the_way_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before version 5 its lists know no options."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for said, chosen in (
        ("4.4.2-0ubuntu0.22.04.1", False),
        ("n6.0", True),
        ("12.1", True),
        ("N-1-g2", False),
    ):
        (tmp_path / "ffmpeg").write_text(f"#!/bin/sh\necho 'ffmpeg version {said} Copyright (c)'\n")
        (tmp_path / "ffmpeg").chmod(0o755)
        assert (network.ffmpeg_version() >= 5) is chosen


def test_gstreamer_cannot_hide_it_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gst-launch-1.0").write_text("#!/bin/sh\nexec head -c 921600 /dev/zero\n")
    (tmp_path / "gst-launch-1.0").chmod(0o755)
    (tmp_path / "head").symlink_to(str(shutil.which("head")))
    monkeypatch.setenv("PATH", str(tmp_path))
    for address, hidden in (("rtsp://user:secret@camera/x", False), ("rtsp://camera/x", True)):
        source = sources.open_source(options(address))
        source.close()
        assert ("every user of the board" in source.name) is not hidden


class Http(http.server.BaseHTTPRequestHandler):
    """A camera of Motion JPEG, with Basic or Digest (RFC 2617) authentication."""

    digest = False

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        if not (self._proves(given) if self.digest else given == BASIC):
            kind = 'Digest realm="camera", nonce="1"' if self.digest else 'Basic realm="camera"'
            self.send_response(401)
            self.send_header("WWW-Authenticate", kind)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
        self.end_headers()
        for picture in PICTURES[:2]:
            self.wfile.write(b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")

    def _proves(self, given: str) -> bool:
        one, two = (
            hashlib.md5(text.encode()).hexdigest() for text in ("user:camera:s3cr@t", f"GET:{self.path}")
        )
        return f'response="{hashlib.md5(f"{one}:1:{two}".encode()).hexdigest()}"' in given

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize("digest", [False, True])
def test_http_with_a_password(digest: bool) -> None:
    handler = type("Camera", (Http,), {"digest": digest})
    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as port:
        source = sources.open_source(options(f"http://user:{SECRET}@127.0.0.1:{port}/video?x=1"))
        assert [source.read().data for _ in range(2)] == PICTURES[:2]
        source.close()
        for wrong in (f"http://user:wrong@127.0.0.1:{port}/", f"http://user:wrong@127.0.0.1:{port + 70000}/"):
            with pytest.raises(Failure, match="does not answer") as caught:
                sources.open_source(options(wrong))
            assert "wrong" not in caught.value.as_json()["what"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://user:pw@host/x: 401", "rtsp://user:***@host/x: 401"),
        ("'rtsp://user:p@ss/w:rd@host' no", "'rtsp://user:***@host' no"),
        ("rtsp:/user:pw@host: no such source", "rtsp:/user:***@host: no such source"),
        ("http://h/v?user=a&pwd=b failed", "http://h/v?*** failed"),
        ("open 'http://:pw@h/v?pwd=b'", "open 'http://:***@h/v?***'"),
        ("http://h:80/x, a@b, C:/x, 12:30", "http://h:80/x, a@b, C:/x, 12:30"),
    ],
)
def test_addresses_are_shown_without_their_secrets(text: str, shown: str) -> None:
    assert wire.redacted(text) == shown
    assert Failure("source", text, text).as_json() == {"kind": "source", "what": shown, "remedy": shown}


def test_the_page_shows_no_secret() -> None:
    pipeline = Pipeline(Source({}), [])
    pipeline._stopping.set()
    pipeline._lost(Lost("RTSP stream ended: rtsp://user:pw@host: no route"))
    assert pipeline.trouble == "RTSP stream ended: rtsp://user:***@host: no route"
