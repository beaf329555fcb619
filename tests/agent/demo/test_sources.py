"""Where the demo's pictures come from: parsers, pixels, and cameras played by doubles of their programs."""

from __future__ import annotations

import http.server
import io
import json
import os
import signal
import struct
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent import planes
from edgenet.agent.demo import pixels, sources
from edgenet.agent.demo.frame import Frame
from edgenet.agent.demo.program import Program
from edgenet.agent.demo.sources import opencv
from edgenet.agent.demo.sources.base import Damaged, Ended, Lost
from edgenet.agent.demo.sources.jetson import Jetson
from edgenet.agent.demo.sources.pi import Rpicam
from edgenet.agent.demo.sources.streams import Jpegs, Raws, Y4ms
from edgenet.agent.demo.sources.synthetic import TURN, Synthetic
from edgenet.agent.failure import Failure
from edgenet.agent.preprocess import encode_ppm, fit
from edgenet.library import image_folder
from edgenet.zoo.signs.drawings import drawings
from tests.agent.demo.test_modes import IMAGENET

PICTURES = [path.read_bytes() for path in sorted(image_folder("signs", "calib").glob("*.jpg"))[:4]]


def thumbnailed() -> bytes:
    """A JPEG that holds another, end marker and all, in a segment."""
    data = PICTURES[0]
    inner = b"\xff\xe1" + struct.pack(">H", len(PICTURES[1]) + 2) + PICTURES[1]
    return data[:2] + inner + data[2:]


def form_of(data: bytes, size: tuple[int, int] | None = None, mode: str = "RGB", **options: object) -> bytes:
    """A JPEG of the same picture in another form."""
    image = Image.open(io.BytesIO(data)).convert(mode)
    stream = io.BytesIO()
    (image.resize(size) if size else image).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def y4m(width: int, height: int, values: list[int]) -> bytes:
    """YUV4MPEG2 of pictures of one value each."""
    length = planes.length("yuv420", (width, height))
    head = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode()
    return head + b"".join(b"FRAME\n" + bytes([value]) * length for value in values)


def reads(data: bytes, step: int = 7000):
    stream = io.BytesIO(data)
    return lambda count: stream.read(min(count, step))


def every(reader) -> list:
    return list(iter(reader.next, None))


class TestStreams:
    @settings(max_examples=30)
    @given(step=st.integers(1, 9000), junk=st.binary(max_size=40).filter(lambda junk: b"\xff" not in junk))
    def test_jpegs_come_out_as_they_went_in(self, step: int, junk: bytes) -> None:
        data = b"".join(junk + picture for picture in PICTURES)
        assert [bytes(frame.data) for frame in every(Jpegs(reads(data, step)))] == PICTURES

    def test_a_thumbnail_inside_is_not_the_end(self) -> None:
        both = [thumbnailed(), PICTURES[2]]
        assert [frame.data for frame in every(Jpegs(reads(b"".join(both))))] == both

    @settings(max_examples=60)
    @given(
        st.lists(
            st.sampled_from(
                [b"\xff", b"\xd8", b"\xd9", b"\xda", b"\xe0", b"\x00\x04", b"FRAME\n", b"YUV4MPEG2 W1 H2\n"]
            ),
            max_size=60,
        )
    )
    def test_nonsense_never_hangs(self, pieces: list[bytes]) -> None:
        for kind in (Jpegs, Y4ms):
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

    def test_a_picture_cut_off_in_its_scan_does_not_take_the_next_along(self) -> None:
        for cut in (3, 30, 300):
            reader, found = (
                Jpegs(reads(PICTURES[0][: -len(PICTURES[0]) // 2 - cut] + PICTURES[1] + PICTURES[2])),
                [],
            )
            damaged = 0
            for _ in range(4):
                try:
                    frame = reader.next()
                except Damaged:
                    damaged += 1
                    continue
                found += [frame.data] if frame else []
            assert (damaged, found) == (1, PICTURES[1:3])

    def test_a_progressive_picture_ends_with_its_last_scan(self) -> None:
        both = [form_of(PICTURES[0], progressive=True), PICTURES[1]]
        assert [frame.data for frame in every(Jpegs(reads(b"".join(both), 50)))] == both

    def test_a_stream_may_change_its_size(self) -> None:
        """JPEGs say theirs; so do heads of YUV4MPEG2, whose old buffers are not used again."""
        large = form_of(PICTURES[1], size=(200, 150))
        frames = every(Jpegs(reads(PICTURES[0] + large + PICTURES[0])))
        assert [frame.size for frame in frames] == [(128, 128), (200, 150), (128, 128)]
        sizes = [(6, 4), (3, 5), (6, 4)]
        reader = Y4ms(reads(b"".join(y4m(*size, [number]) for number, size in enumerate(sizes)), 5))
        for number, size in enumerate(sizes):
            frame = reader.next().hold()
            assert (frame.kind, frame.size, set(frame.data)) == ("yuv420", size, {number})
            frame.drop()

    def test_a_stream_that_keeps_changing_keeps_no_buffers(self) -> None:
        reader = Y4ms(reads(b"".join(y4m(6 + number, 4, [0]) for number in range(40))))
        for frame in iter(reader.next, None):
            frame.hold().drop()
        assert len(reader._free) <= 4

    def test_after_what_is_no_picture_comes_the_next(self) -> None:
        reader, found, damaged = Y4ms(reads(y4m(6, 4, [1]) + b"FRAM?" * 400 + y4m(6, 4, [2, 3]))), [], 0
        for _ in range(20):
            try:
                found.append(reader.next())
            except Damaged:
                damaged += 1
        assert [frame.data[0] for frame in found if frame] == [1, 2, 3]
        assert 0 < damaged < 10

    @pytest.mark.parametrize("head", ["W6", "W6 H0", "W6 H4 C444", "W6 H4 C420p10", "Wx H4", "W123456 H4"])
    def test_streams_that_nobody_reads_are_refused(self, head: str) -> None:
        with pytest.raises(ValueError, match="pictures"):
            Y4ms(reads(f"YUV4MPEG2 {head}\nFRAME\n".encode() + bytes(36))).next()

    def test_full_range_is_told(self) -> None:
        for word, color in (
            ("XCOLORRANGE=FULL", "bt601-full"),
            ("XCOLORRANGE=LIMITED", "bt601"),
            ("", "bt601"),
        ):
            head = f"YUV4MPEG2 W2 H2 F25:1 Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 {word}\nFRAME\n"
            assert Y4ms(reads(head.encode() + bytes(6))).next().color == color

    def test_raw_pictures_use_their_buffers_again(self) -> None:
        reader, buffers = Y4ms(reads(y4m(6, 4, [1, 2, 3]), 5)), set()
        for value in (1, 2, 3):
            frame = reader.next().hold()
            assert (frame.size, bytes(frame.data)) == ((6, 4), bytes([value]) * 36)
            buffers.add(id(frame.data))
            frame.drop()
        assert reader.next() is None
        assert len(buffers) == 1
        raw = Raws(reads(bytes(range(16)) * 2, 5), "bgrx", 2, 2)
        assert bytes(raw.next().data) == bytes(range(16))


class TestPixels:
    @pytest.mark.parametrize(
        ("mode", "options"),
        [
            ("RGB", {"subsampling": "4:2:0"}),
            ("RGB", {"subsampling": "4:2:2"}),
            ("RGB", {"subsampling": "4:4:4"}),
            ("RGB", {"progressive": True}),
            ("RGB", {"restart_marker_blocks": 2}),
            ("L", {}),
            ("CMYK", {}),
        ],
    )
    def test_every_form_of_jpeg_reaches_the_models(self, mode: str, options: dict[str, object]) -> None:
        """And its stream's reader, with another behind it."""
        data = form_of(PICTURES[0], (97, 65), mode, **options)
        first, second = every(Jpegs(reads(data + PICTURES[1], 77)))
        assert (first.data, first.size, second.data) == (data, (97, 65), PICTURES[1])
        spec = {**IMAGENET, "interpolation": "bilinear-antialias"}
        room = np.zeros((224, 224, 3), np.uint8)
        pixels.fill([SimpleNamespace(spec=spec, key="", room=lambda: room)], first)
        rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.abs(room.astype(int) - fit(rgb, spec)).max() <= 2
        assert pixels.rgb(first).shape == (65, 97, 3)

    def test_models_that_see_the_same_are_given_the_same(self) -> None:
        random = np.random.default_rng(3)
        data = random.integers(0, 256, 640 * 480 * 2).astype(np.uint8).tobytes()
        spec = {**IMAGENET, "interpolation": "bilinear-antialias"}
        small = {"size": [96, 96], "resize": "stretch", "interpolation": "nearest"}
        rooms = [np.zeros((*one["size"], 3), np.uint8) for one in (spec, spec, small)]
        models = [
            SimpleNamespace(spec=one, key=str(one), room=lambda room=room: room)
            for one, room in zip((spec, spec, small), rooms, strict=True)
        ]
        pixels.fill(models, Frame("yuyv", data, (640, 480)))
        np.testing.assert_array_equal(rooms[0], rooms[1])
        np.testing.assert_array_equal(rooms[0], planes.fitted("yuyv", data, (640, 480), spec))
        np.testing.assert_array_equal(rooms[2], planes.fitted("yuyv", data, (640, 480), small))

    @pytest.mark.parametrize("cut", [1, 100, 3000])
    def test_a_cut_jpeg_is_damaged(self, cut: int) -> None:
        model = SimpleNamespace(spec=IMAGENET, key="", room=lambda: None)
        with pytest.raises(ValueError, match="not a readable image"):
            pixels.fill([model], Frame("jpeg", form_of(PICTURES[0], (400, 300))[: -cut - 1]))

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

    def test_several_signs_move_each_in_a_part_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "drawings").write_bytes(drawings(320, 240, together=4))
        source = Synthetic({"paths": [str(tmp_path / "drawings")], "fps": 1000})
        source.open()
        first, later = (np.empty((240, 320, 3), np.uint8) for _ in range(2))
        source.draw(first, 0)
        source.draw(later, TURN // 2)
        moved = (first != later).any(axis=2).reshape(2, 120, 2, 160).any(axis=(1, 3))
        assert moved.all()

    def test_a_sign_that_does_not_fit_its_part_is_refused(self, tmp_path: Path) -> None:
        line, _, packed = drawings(320, 240).partition(b"\n")
        crowded = json.dumps({**json.loads(line), "together": 4}).encode()
        (tmp_path / "drawings").write_bytes(crowded + b"\n" + packed)
        with pytest.raises(Failure, match="stop is larger than its part of the scene"):
            sources.open_source({"kind": "synthetic", "paths": [str(tmp_path / "drawings")]})

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

    def test_rpicam_gives_planes_of_the_smallest_size_that_covers_the_model(
        self, program, tmp_path: Path
    ) -> None:
        log, picture = tmp_path / "log", bytes(range(256)) * (384 * 288 * 3 // 512)
        program("rpicam-vid", FOREVER.format(log=str(log), descriptor=1, picture=picture))
        source = sources.open_source({"kind": "rpicam", "specs": [IMAGENET]})
        frame = source.read()
        assert (frame.kind, frame.size, frame.color) == ("yuv420", (384, 288), "bt601")
        assert bytes(frame.data) == picture
        source.close()
        assert "--codec yuv420 --width 384 --height 288 --framerate 30" in log.read_text()

    def test_rpicam_s_colors_follow_the_size_that_is_asked_for(self) -> None:
        for size, kind, color in (
            ((1280, 720), Raws, "bt709"),
            ((640, 480), Raws, "bt601"),
            ((700, 500), Jpegs, None),
        ):
            reader = Rpicam({"size": size}).reader(None)
            assert type(reader) is kind
            assert color is None or reader._form[3] == color

    def test_unplugged_and_back(self, program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program("libcamera-vid", FOREVER.format(log=str(tmp_path / "log"), descriptor=1, picture=PICTURES[0]))
        monkeypatch.setenv("PICTURES", "3")
        source = Rpicam({"size": [800, 600]})
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
        assert Jetson({"specs": [IMAGENET]}).size() == (512, 288), "the sensor's shape, in hardware"
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
        monkeypatch.setattr(opencv, "library", lambda: None)
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

    def test_a_file_s_pictures_take_no_longer_than_reading_them(self, tmp_path: Path) -> None:
        """What lies between two of them is the pace, and no age."""
        (tmp_path / "v.mjpg").write_bytes(b"".join(PICTURES[:4]))
        source = sources.open_source({"kind": "files", "paths": [str(tmp_path / "v.mjpg")], "fps": 5})
        assert max(source.read().cost for _ in range(4)) < 0.15
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
