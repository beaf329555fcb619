"""picamera2, played by a double of its module with its own names and structures."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgenet.agent.demo import pixels, sources
from edgenet.agent.demo.sources.base import Source
from edgenet.agent.demo.sources.pi import Picamera
from tests.agent.demo.test_modes import IMAGENET

# As picamera2 0.3 has it: sizes, strides and color space are told, buffers are flat and may be longer.
DOUBLE = """
import time
import numpy as np

class Encoding:
    def __init__(self, name): self.name = name
    def __str__(self): return self.name

class Space:
    ycbcrEncoding, range = Encoding("YcbcrEncoding.Rec601"), Encoding("Range.Full")

class Request:
    def __init__(self, streams): self.streams = streams
    def make_buffer(self, name):
        stream = self.streams[name]
        rows = stream["size"][1] * (3 if name == "lores" else 2) // 2
        data = np.full(stream["stride"] * rows + 100, 50 if name == "lores" else 200, np.uint8)
        return data
    def release(self): pass

class Picamera2:
    lores = {lores}
    def create_video_configuration(self, main, controls, queue, lores=None):
        assert not queue and controls == {{"FrameRate": 17}}
        return {{"main": main, "lores": lores}}
    def configure(self, wanted):
        if wanted["lores"] and not self.lores: raise RuntimeError("no such stream")
        self.streams = {{}}
        for name, stream in wanted.items():
            if stream:
                width = stream["size"][0] * (3 if name == "main" else 1)
                self.streams[name] = dict(stream, stride=-(-width // 64) * 64)
            else:
                self.streams[name] = None
    def camera_configuration(self): return dict(self.streams, colour_space=Space())
    def start(self): pass
    def capture_request(self):
        time.sleep(0.01)
        return Request(self.streams)
    def close(self): pass
"""


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """Opens the camera, whose double lies in the board's packages and not in the model's runtime."""
    runtime, system = tmp_path / "runtime", tmp_path / "system"
    for folder in (runtime, system):
        folder.mkdir()
    (runtime / "picamera2.py").write_text("raise ImportError('the runtime is in the way')")
    monkeypatch.setenv("PYTHONPATH", str(runtime))
    monkeypatch.chdir(Path(__file__).parents[3])
    found: list[Source] = []

    def start(lores: bool = True, **options: object) -> Source:
        (system / "picamera2.py").write_text(DOUBLE.format(lores=lores))
        module = "edgenet.agent.demo.sources.picamera"
        path = f"import sys; sys.path.append({str(system)!r})"
        code = f"{path}; from {module} import main; sys.exit(main(sys.argv[1:]))"
        own = Picamera.command
        monkeypatch.setattr(Picamera, "command", lambda self: [sys.executable, "-c", code, *own(self)[5:]])
        found.append(sources.open_source({"kind": "picamera2", "fps": 17, "specs": [IMAGENET], **options}))
        monkeypatch.setattr(Picamera, "command", own)
        return found[0]

    yield start
    for source in found:
        source.close()


def test_the_isp_makes_the_model_s_size(opened) -> None:
    source = opened()
    frame = source.read()
    assert (frame.kind, frame.size, frame.stride, frame.color) == ("yuv420", (384, 288), 384, "bt601-full")
    assert set(frame.data) == {50}
    assert frame.large is None


def test_the_large_stream_comes_only_while_somebody_looks(opened) -> None:
    source = opened(size=[800, 600])
    assert source.read().large is None
    source.look(True)
    frame = await_(source, lambda frame: frame.large is not None).hold()
    assert (frame.kind, frame.large.kind, frame.large.size) == ("yuv420", "rgb24", (800, 600))
    assert frame.large.stride == 2432, "picamera2 says so"
    assert (pixels.rgb(frame.large) == 200).all()
    frame.drop()
    assert frame.large is None, "its buffer goes back with the frame's"
    source.look(False)
    await_(source, lambda frame: frame.large is None)


def test_after_a_restart_it_is_told_again(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened()
    source.look(True)
    command = source._program._process.args
    monkeypatch.setattr(Picamera, "command", lambda _: [*command[:-1], "{descriptor}"])
    source.reopen()
    await_(source, lambda frame: frame.large is not None)


def test_a_camera_without_a_second_stream_gives_its_one(opened) -> None:
    source = opened(lores=False)
    source.look(True)
    frame = source.read()
    assert (frame.kind, frame.size, frame.large) == ("rgb24", (640, 480), None)
    assert np.unique(pixels.rgb(frame)).tolist() == [200]


def await_(source: Source, seen):
    """The first frame of which this is true."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame = source.read()
        if seen(frame):
            return frame
    raise AssertionError("it never came")
