"""Where the demo's pictures come from: parsers, pixels, and cameras played by doubles of their programs."""

from __future__ import annotations

import errno
import http.server
import io
import os
import signal
import struct
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent.demo import pixels, sources
from edgenet.agent.demo.program import Program
from edgenet.agent.demo.sources import v4l2
from edgenet.agent.demo.sources.base import Damaged, Ended, Lost
from edgenet.agent.demo.sources.pi import Picamera, Rpicam
from edgenet.agent.demo.sources.streams import Jpegs, Ppms, Raws
from edgenet.agent.demo.sources.synthetic import TURN, Synthetic
from edgenet.agent.failure import Failure
from edgenet.agent.preprocess import encode_ppm
from edgenet.library import image_folder
from edgenet.zoo.signs.drawings import drawings

PICTURES = [path.read_bytes() for path in sorted(image_folder("signs", "calib").glob("*.jpg"))[:4]]


def thumbnailed() -> bytes:
    """A JPEG that holds another, end marker and all, in a segment."""
    data = PICTURES[0]
    inner = b"\xff\xe1" + struct.pack(">H", len(PICTURES[1]) + 2) + PICTURES[1]
    return data[:2] + inner + data[2:]


def reads(data: bytes, step: int = 7000):
    stream = io.BytesIO(data)
    return lambda count: stream.read(min(count, step))


def every(reader) -> list:
    return list(iter(reader.next, None))


class TestStreams:
    @settings(max_examples=30, deadline=None)
    @given(step=st.integers(1, 9000), junk=st.binary(max_size=40).filter(lambda junk: b"\xff" not in junk))
    def test_jpegs_come_out_as_they_went_in(self, step: int, junk: bytes) -> None:
        data = b"".join(junk + picture for picture in PICTURES)
        assert [bytes(frame.data) for frame in every(Jpegs(reads(data, step)))] == PICTURES

    def test_a_thumbnail_inside_is_not_the_end(self) -> None:
        both = [thumbnailed(), PICTURES[2]]
        assert [frame.data for frame in every(Jpegs(reads(b"".join(both))))] == both

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.sampled_from([b"\xff", b"\xd8", b"\xd9", b"\xda", b"\xe0", b"\x00\x04", b"P6"]), max_size=60
        )
    )
    def test_nonsense_never_hangs(self, pieces: list[bytes]) -> None:
        for kind in (Jpegs, Ppms):
            reader = kind(reads(b"".join(pieces), 3))
            for _ in range(100):
                try:
                    if reader.next() is None:
                        break
                except Damaged:
                    continue

    def test_after_a_broken_picture_comes_the_next(self) -> None:
        reader, found = Jpegs(reads(b"\xff\xd8\xff\xe0\x00\x04ab\x12\x34" + PICTURES[0])), []
        for _ in range(3):
            try:
                frame = reader.next()
            except Damaged:
                continue
            found += [frame.data] if frame else []
        assert found == [PICTURES[0]]

    def test_ppms_and_raw_pictures_use_their_buffers_again(self) -> None:
        images = [np.full((4, 6, 3), value, np.uint8) for value in (1, 2, 3)]
        reader = Ppms(reads(b"".join(encode_ppm(image) for image in images), 5))
        buffers = set()
        for image in images:
            frame = reader.next().hold()
            assert frame.size == (6, 4)
            np.testing.assert_array_equal(pixels.rgb(frame), image)
            buffers.add(id(frame.data))
            frame.drop()
        assert reader.next() is None
        assert len(buffers) == 1
        raw = Raws(reads(bytes(range(16)) * 2, 5), "bgrx", 2, 2)
        assert bytes(raw.next().data) == bytes(range(16))


class TestPixels:
    def test_png_is_what_pillow_reads_back(self) -> None:
        image = np.random.default_rng(1).integers(0, 256, (5, 7, 3)).astype(np.uint8)
        data, kind = pixels.encode(image, lossless=True)
        assert kind == "png"
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), image)


class TestSynthetic:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Synthetic:
        (tmp_path / "drawings").write_bytes(drawings(320, 240))
        source = Synthetic({"paths": [str(tmp_path / "drawings")], "fps": 1000})
        source.open()
        return source

    def test_a_number_is_always_the_same_picture(self, source: Synthetic) -> None:
        first, again = (np.empty((240, 320, 3), np.uint8) for _ in range(2))
        for number in (0, 7, TURN, 10 * TURN + 3):
            source.draw(first, number)
            again[:] = 0
            source.draw(again, number)
            assert (first == again).all()
        source.draw(again, number + 1)
        assert (first != again).any()

    def test_after_warming_up_nothing_is_allocated(self, source: Synthetic) -> None:
        for _ in range(3):
            source.read().hold().drop()
        tracemalloc.start()
        try:
            for _ in range(30):
                source.read().hold().drop()
            most = tracemalloc.get_traced_memory()[1]
            assert most < 45000, "numpy's casting buffers; a picture is 230400 bytes"
        finally:
            tracemalloc.stop()

    def test_damaged_drawings_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "drawings").write_bytes(drawings(160, 120)[:-9])
        with pytest.raises(Failure, match="drawings of the synthetic source"):
            sources.open_source({"kind": "synthetic", "paths": [str(tmp_path / "drawings")]})


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a double of a program of the board in front of the PATH; it logs how it was called and ended."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, body: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{body}\n")
        path.chmod(0o755)
        return path

    return make


FOREVER = """
log = {log!r}
open(log, "a").write(" ".join(sys.argv[1:]) + "\\n")
def stop(*_):
    open(log, "a").write("ended politely\\n"); os._exit(0)
signal.signal(signal.SIGINT, stop)
pictures = int(os.environ.get("PICTURES", "1000000"))
while pictures:
    os.write({descriptor}, {picture!r}); pictures -= 1; time.sleep(0.01)
sys.stderr.write("camera front-end timed out\\n"); sys.exit(1)
"""


class TestPrograms:
    def test_rpicam(self, program, tmp_path: Path) -> None:
        log = tmp_path / "log"
        program("rpicam-vid", FOREVER.format(log=str(log), descriptor=1, picture=PICTURES[0]))
        source = sources.open_source({"kind": "rpicam", "size": [800, 600], "fps": 24})
        assert [source.read().data for _ in range(3)] == [PICTURES[0]] * 3
        source.close()
        called, ended = log.read_text().splitlines()
        assert "--codec mjpeg" in called
        assert "--width 800 --height 600 --framerate 24" in called
        assert ended == "ended politely"

    def test_unplugged_and_back(self, program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program("libcamera-vid", FOREVER.format(log=str(tmp_path / "log"), descriptor=1, picture=PICTURES[0]))
        monkeypatch.setenv("PICTURES", "3")
        source = Rpicam({})
        source.open()
        for _ in range(3):
            source.read()
        with pytest.raises(Lost, match="camera front-end timed out"):
            source.read()
        source.reopen()
        assert source.read().data == PICTURES[0]
        source.close()

    def test_a_camera_that_gives_nothing_is_refused_with_its_words(self, program) -> None:
        program("rpicam-vid", 'sys.stderr.write("ERROR: *** no cameras available ***\\n"); sys.exit(255)')
        with pytest.raises(Failure, match="no cameras available") as caught:
            sources.open_source({"kind": "rpicam"})
        assert caught.value.remedy

    def test_jetson_chatter_on_stdout_does_no_harm(self, program, tmp_path: Path) -> None:
        body = 'print("GST_ARGUS: Creating output stream", flush=True)\nfd = int(sys.argv[-2][3:])\n'
        picture = bytes(range(64)) * (16 * 16 * 4 // 64)
        program(
            "gst-launch-1.0",
            body
            + FOREVER.format(log=str(tmp_path / "log"), descriptor="@", picture=picture)
            .replace("'@'", "fd")
            .replace("(@", "(fd"),
        )
        source = sources.open_source({"kind": "jetson", "size": [16, 16]})
        frame = source.read()
        assert (frame.kind, frame.size, bytes(frame.data)) == ("bgrx", (16, 16), picture)
        source.close()
        called = (tmp_path / "log").read_text()
        assert (
            "-q nvarguscamerasrc ! video/x-raw(memory:NVMM),format=NV12,framerate=30/1 ! nvvidconv !"
            in called
        )
        assert "ended politely" in called

    def test_picamera2(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A double of the module, in the board's packages and not in the model's runtime."""
        runtime, system = tmp_path / "runtime", tmp_path / "system"
        for folder in (runtime, system):
            folder.mkdir()
        (runtime / "picamera2.py").write_text("raise ImportError('the runtime is in the way')")
        (system / "picamera2.py").write_text(
            "import numpy as np\n"
            "class Picamera2:\n"
            "    def create_video_configuration(self, main, controls, queue): return dict(main, **controls)\n"
            "    def configure(self, wanted): self.wanted = wanted\n"
            "    def start(self): assert self.wanted['format'] == 'BGR888'\n"
            "    def capture_array(self, name):\n"
            "        (w, h), rate = self.wanted['size'], self.wanted['FrameRate']\n"
            "        return np.full((h, w, 3), rate, np.uint8)\n"
            "    def close(self): pass\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(runtime))
        module = "edgenet.agent.demo.sources.picamera"
        path = f"import sys; sys.path.append({str(system)!r})"
        code = f"{path}; from {module} import main; sys.exit(main(sys.argv[1:]))"
        command = Picamera({"size": [32, 24], "fps": 17}).command()
        monkeypatch.setattr(Picamera, "command", lambda _: [sys.executable, "-c", code, *command[5:]])
        monkeypatch.chdir(Path(__file__).parents[3])
        source = sources.open_source({"kind": "picamera2", "size": [32, 24], "fps": 17})
        frame = source.read()
        assert (frame.kind, frame.size) == ("rgb24", (32, 24))
        assert set(frame.data) == {17}
        source.close()

    def test_a_program_that_ignores_the_request_is_ended(self, program) -> None:
        path = program(
            "stubborn", "signal.signal(signal.SIGINT, signal.SIG_IGN)\nos.write(1, b'x')\ntime.sleep(60)"
        )
        running = Program([str(path)])
        assert running.read(1, 10) == b"x"
        began = time.monotonic()
        running.close()
        assert time.monotonic() - began < 5
        assert running.last_words() == f"exit status -{signal.SIGKILL.value}"

    def test_without_ffmpeg_a_video_is_refused_with_the_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        (tmp_path / "video.mp4").write_bytes(b"")
        with pytest.raises(Failure, match="neither ffmpeg nor gst-launch-1.0") as caught:
            sources.open_source({"kind": "video", "paths": [str(tmp_path / "video.mp4")]})
        assert "apt install ffmpeg" in caught.value.remedy

    def test_no_camera_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "cameras", lambda: [("v4l2", [str(tmp_path / "video0")])])
        with pytest.raises(Failure, match="video0: No such file") as caught:
            sources.open_source({"kind": "camera"})
        assert "edgenet probe" in caught.value.remedy


class TestFiles:
    def test_a_folder_ends_and_skips_what_is_broken(self, tmp_path: Path) -> None:
        (tmp_path / "a.jpg").write_bytes(PICTURES[0])
        (tmp_path / "b.png").write_bytes(b"no image")
        (tmp_path / "c.ppm").write_bytes(encode_ppm(np.zeros((2, 2, 3), np.uint8)))
        os.mkfifo(tmp_path / "d.png")
        (tmp_path / "e.jpg").mkdir()
        (tmp_path / "._a.jpg").write_bytes(b"a resource fork")
        source = sources.open_source({"kind": "files", "paths": [str(tmp_path)], "fps": 500})
        assert source.read().kind == "jpeg"
        with pytest.raises(Damaged, match=r"b\.png"):
            source.read()
        assert source.read().size == (2, 2)
        with pytest.raises(Ended):
            source.read()

    def test_motion_jpeg_needs_no_program_and_loops(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        (tmp_path / "v.mjpg").write_bytes(b"".join(PICTURES[:2]))
        options = {"kind": "files", "paths": [str(tmp_path / "v.mjpg")], "fps": 500, "loop": True}
        source = sources.open_source(options)
        assert [source.read().data for _ in range(5)] == [PICTURES[i % 2] for i in range(5)]
        source.close()

    def test_http_motion_jpeg_cut_and_back(self) -> None:
        class Camera(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
                self.end_headers()
                for picture in PICTURES[:2]:
                    self.wfile.write(b"--x\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n")

            def log_message(self, *_: object) -> None:
                """Quiet."""

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/"
            source = sources.open_source({"kind": "address", "address": address})
            for _ in range(2):
                assert [source.read().data for _ in range(2)] == PICTURES[:2]
                with pytest.raises(Lost):
                    source.read()
                source.reopen()
            source.close()
            server.shutdown()


class Kernel:
    """A double of a V4L2 driver, by the offsets of the kernel's structures on 64-bit systems."""

    def __init__(self, formats: list[bytes], picture: bytes) -> None:
        self.formats, self.picture = formats, picture
        self.queued: list[int] = []
        self.streaming, self.gone, self.asked = False, False, b""
        self.reader, self.writer = os.pipe()

    def ioctl(self, handle: int, number: int, data: bytearray, _mutate: bool = True) -> int:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        assert len(data) == (number >> 16) & 0x3FFF, "the structure has the size that its number says"
        getattr(
            self,
            {
                0: "cap",
                2: "enum",
                5: "form",
                22: "rate",
                8: "request",
                9: "query",
                15: "queue",
                17: "dequeue",
                18: "on",
                19: "off",
            }[number & 0xFF],
        )(data)
        return 0

    def cap(self, data: bytearray) -> None:
        data[16:24] = b"UVC cam\0"
        struct.pack_into("=II", data, 84, 0x84200001, 0x04200001)

    def enum(self, data: bytearray) -> None:
        (index,) = struct.unpack_from("=I", data, 0)
        if index >= len(self.formats):
            raise OSError(errno.EINVAL, "Invalid argument")
        data[44:48] = self.formats[index]

    def form(self, data: bytearray) -> None:
        self.asked = bytes(data[16:20])
        struct.pack_into("=II", data, 8, 320, 240)

    def rate(self, data: bytearray) -> None:
        struct.pack_into("=II", data, 12, 1, 25)

    def request(self, data: bytearray) -> None:
        struct.pack_into("=I", data, 0, 2)

    def query(self, data: bytearray) -> None:
        struct.pack_into("=I", data, 64, 4096 * struct.unpack_from("=I", data, 0)[0])
        struct.pack_into("=I", data, 72, len(self.picture))

    def queue(self, data: bytearray) -> None:
        self.queued.append(struct.unpack_from("=I", data, 0)[0])
        os.write(self.writer, b"x")

    def dequeue(self, data: bytearray) -> None:
        os.read(self.reader, 1)
        struct.pack_into("=I", data, 0, self.queued.pop(0))
        now = time.perf_counter() - 0.02
        struct.pack_into("=II", data, 8, len(self.picture), 0x2000)
        struct.pack_into("=qq", data, 24, int(now), int(now % 1 * 1e6))

    def on(self, _data: bytearray) -> None:
        self.streaming = True

    def off(self, _data: bytearray) -> None:
        self.streaming = False

    def mmap(self, _handle: int, length: int, offset: int = 0) -> io.BytesIO:
        assert length == len(self.picture)
        assert offset % 4096 == 0
        return Mapped(self.picture)


class Mapped(bytes):
    def close(self) -> None:
        """As a map has."""


class TestV4l2:
    @pytest.fixture
    def kernel(self, monkeypatch: pytest.MonkeyPatch) -> Kernel:
        kernel = Kernel([b"YUYV", b"MJPG"], PICTURES[0])
        monkeypatch.setattr(v4l2.fcntl, "ioctl", kernel.ioctl)
        monkeypatch.setattr(v4l2.mmap, "mmap", kernel.mmap)
        opened = os.open
        monkeypatch.setattr(
            v4l2.os,
            "open",
            lambda path, *rest: os.dup(kernel.reader) if "video" in str(path) else opened(path, *rest),
        )
        yield kernel
        os.close(kernel.reader)
        os.close(kernel.writer)

    def test_motion_jpeg_is_preferred_and_passes_through(self, kernel: Kernel) -> None:
        source = sources.open_source({"kind": "v4l2", "paths": ["/dev/video0"]})
        assert kernel.asked == b"MJPG"
        assert (source.name, source.options["size"], source.fps) == (
            "UVC cam (/dev/video0)",
            [320, 240],
            25.0,
        )
        for _ in range(5):
            frame = source.read()
            assert (frame.kind, frame.data) == ("jpeg", PICTURES[0])
            assert 0.02 <= frame.cost < 1, "from the driver's time stamp on"
        source.close()
        assert not kernel.streaming

    def test_unplugged_and_back(self, kernel: Kernel) -> None:
        source = sources.open_source({"kind": "v4l2", "paths": ["/dev/video0"]})
        source.read()
        kernel.gone = True
        with pytest.raises(Lost, match="No such device"):
            source.read()
        source.reopen()
        with pytest.raises(Lost, match="gives no picture"):
            source.read()
        kernel.gone = False
        kernel.queued.clear()
        source.reopen()
        assert source.read().data == PICTURES[0]
        source.close()

    def test_a_format_that_nobody_reads_is_refused(self, kernel: Kernel) -> None:
        kernel.formats = [b"RG10"]
        with pytest.raises(Failure, match="no format that edgenet reads"):
            sources.open_source({"kind": "v4l2", "paths": ["/dev/video0"]})
