"""OpenCV in place of what a system does not have: real videos, and a double of a webcam."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from edgenet.agent.demo import sources
from edgenet.agent.demo.sources import opencv, v4l2
from edgenet.agent.demo.sources.base import Ended, Lost
from edgenet.agent.failure import Failure
from tests.agent.demo.test_modes import IMAGENET, SMALL

cv2 = pytest.importorskip("cv2")
FFMPEG = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg to make a video with")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Twelve frames in red, then green, then blue, at 10 a second."""
    path = tmp_path / "colors.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for color in ((0, 0, 255), (0, 255, 0), (255, 0, 0)):
        for _ in range(4):
            writer.write(np.full((48, 64, 3), color, np.uint8))
    writer.release()
    return path


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system without ffmpeg and GStreamer."""
    monkeypatch.setattr(sources.shutil, "which", lambda _: None)


def colors(source: Any, count: int) -> list[str]:
    found = []
    for _ in range(count):
        frame = source.read().hold()
        assert (frame.kind, frame.size, frame.data.shape) == ("rgb", (64, 48), (48, 64, 3))
        found.append("rgb"[int(frame.data.mean((0, 1)).argmax())])
        frame.drop()
    return found


def test_a_video_file_without_any_program(video: Path, bare: None) -> None:
    source = sources.open_source({"kind": "video", "paths": [str(video)], "specs": [SMALL]})
    assert (source.name, source.fps, source.options["size"]) == ("colors.avi (OpenCV)", 10.0, [64, 48])
    assert source.note == "its picture, 64x48, is smaller than what the model reads"
    source._pace._step = 0.0
    assert "".join(colors(source, 12)) == "rrrrggggbbbb"
    with pytest.raises(Ended):
        source.read()
    source.close()
    with pytest.raises(Ended):
        source.read()


def test_a_video_begins_again(video: Path, bare: None) -> None:
    source = sources.open_source({"kind": "video", "paths": [str(video)], "loop": True, "fps": 1000})
    assert "".join(colors(source, 15)) == "rrrrggggbbbbrrr"
    source.close()


@FFMPEG
def test_ours_come_first(video: Path) -> None:
    source = sources.open_source({"kind": "video", "paths": [str(video)]})
    assert source.name == "colors.avi"
    source.close()


@pytest.mark.parametrize("content", [b"", b"no video at all", b"RIFF\x00\x00\x00\x00AVI LIST"])
def test_what_is_no_video_is_refused(tmp_path: Path, bare: None, content: bytes) -> None:
    path = tmp_path / "no%03d.avi"
    path.write_bytes(content)
    with pytest.raises(Failure, match="gives no picture") as caught:
        sources.open_source({"kind": "video", "paths": [str(path)]})
    assert caught.value.remedy == "see that it is a video"


def test_without_opencv_either_there_is_one_remedy(monkeypatch: pytest.MonkeyPatch, bare: None) -> None:
    monkeypatch.setattr(opencv, "library", lambda: None)
    monkeypatch.setattr(v4l2, "fcntl", None)
    with pytest.raises(Failure, match="camera 1 needs OpenCV") as caught:
        sources.open_source({"kind": "v4l2", "paths": ["/dev/video1"]})
    assert "pip install opencv-python-headless" in caught.value.remedy


@FFMPEG
def test_an_address(video: Path, bare: None, tmp_path: Path) -> None:
    """FFmpeg as a server that answers one client."""
    stream = tmp_path / "stream.ts"
    command = [
        "ffmpeg",
        "-nostdin",
        "-loglevel",
        "error",
        "-i",
        str(video),
        "-c:v",
        "mpeg2video",
        str(stream),
    ]
    subprocess.run(command, check=True)
    code = (
        "import http.server, functools, sys; h = http.server.SimpleHTTPRequestHandler\n"
        "h.log_message = lambda *_: None\n"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(h, directory=sys.argv[1]))\n"
        "print(s.server_port, flush=True); s.serve_forever()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = f"http://user:secret@127.0.0.1:{server.stdout.readline().strip()}/stream.ts"
        source = sources.open_source({"kind": "network", "address": address})
        assert source.name == "HTTP stream (OpenCV)"
        assert colors(source, 1) == ["r"]
        source.close()
        with pytest.raises(Failure) as caught:
            sources.open_source({"kind": "network", "address": address.replace("stream", "none")})
        assert "secret" not in caught.value.what + caught.value.remedy
        server.kill()


class Webcam:
    """A webcam behind OpenCV's ``VideoCapture``: it has two sizes."""

    opened: ClassVar[list[Any]] = []

    def __init__(self, number: int, *_: Any) -> None:
        self.number, self.values, self.gone = number, {3: 640.0, 4: 480.0}, False
        Webcam.opened.append(self)

    def set(self, name: int, value: float) -> bool:
        self.values[name] = value
        if name == 4:
            small = self.values[3] <= 320
            self.values.update({3: 320.0 if small else 1280.0, 4: 240.0 if small else 720.0})
        return True

    def get(self, name: int) -> float:
        return self.values.get(name, 0.0)

    def read(self, _picture: Any = None) -> tuple[bool, Any]:
        shape = (int(self.values[4]), int(self.values[3]), 3)
        return (False, None) if self.gone else (True, np.full(shape, (1, 2, 3), np.uint8))

    def release(self) -> None:
        self.gone = True


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without V4L2."""
    monkeypatch.setattr(v4l2.struct, "calcsize", lambda _: 4)
    names = {name: getattr(cv2, name) for name in dir(cv2) if name.startswith(("CAP_PROP", "COLOR_BGR2RGB"))}
    double = SimpleNamespace(VideoCapture=Webcam, cvtColor=cv2.cvtColor, **names)
    monkeypatch.setattr(opencv, "library", lambda: double)
    Webcam.opened.clear()


@pytest.mark.parametrize(("spec", "size"), [(IMAGENET, [1280, 720]), (SMALL, [320, 240])])
def test_a_webcam_is_asked_for_the_smallest_usual_size(webcam: None, spec: Any, size: list[int]) -> None:
    source = sources.open_source({"kind": "v4l2", "paths": ["/dev/video2"], "specs": [spec]})
    assert (source.name, source.options["size"], source.note) == ("camera 2 (OpenCV)", size, "")
    assert Webcam.opened[0].number == 2
    frame = source.read()
    assert frame.data[0, 0].tolist() == [3, 2, 1]
    source.close()


def test_a_webcam_goes_and_comes_back(webcam: None) -> None:
    source = sources.open_source({"kind": "v4l2", "paths": ["/dev/video0"], "size": [320, 240]})
    Webcam.opened[-1].gone = True
    with pytest.raises(Lost, match="gives no picture"):
        source.read()
    source.reopen()
    assert source.read().size == (320, 240)
    source.close()


def test_a_webcam_s_picture_may_change_its_size(webcam: None) -> None:
    source = sources.open_source({"kind": "v4l2", "paths": ["/dev/video0"], "size": [320, 240]})
    first = source.read().hold()
    Webcam.opened[-1].values.update({3: 100.0, 4: 50.0})
    assert source.read().size == (100, 50)
    assert source.options["size"] == [100, 50]
    first.drop()
    assert source.read().size == (100, 50)
    source.close()


def test_where_there_is_no_linux_the_first_camera_is_opencv_s(
    webcam: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources.sys, "platform", "darwin")
    monkeypatch.setattr(sources.board, "sources", lambda _: [])
    source = sources.open_source({"kind": "camera"})
    assert source.name == "camera 0 (OpenCV)"
    source.close()
    assert struct.calcsize("P") == 4
