"""V4L2 cameras, played by a double of their driver."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from edgenet.agent import planes
from edgenet.agent.demo import pixels, sources
from edgenet.agent.demo.sources import v4l2
from edgenet.agent.demo.sources.base import Damaged, Lost
from edgenet.agent.failure import Failure
from tests.agent.demo.cameras import RECORDED, Kernel
from tests.agent.demo.test_modes import IMAGENET
from tests.agent.demo.test_sources import PICTURES

ORDER = {"kind": "v4l2", "paths": ["/dev/video0"], "specs": [IMAGENET]}


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Kernel]]:
    """Connects a recorded camera as /dev/video0."""
    kernels: list[Kernel] = []
    opened, selected = os.open, v4l2.select.select

    def connect(name: str, picture: bytes = PICTURES[0]) -> Kernel:
        kernel = Kernel(name, picture)
        kernels.append(kernel)
        monkeypatch.setattr(v4l2.fcntl, "ioctl", kernel.ioctl)
        monkeypatch.setattr(v4l2.mmap, "mmap", kernel.mmap)
        monkeypatch.setattr(
            v4l2.os,
            "open",
            lambda path, *rest: os.dup(kernel.reader) if "video" in str(path) else opened(path, *rest),
        )

        def select(readers: Any, writers: Any, events: Any, seconds: float) -> Any:
            if kernel.changed:
                return [], [], events
            return selected(readers, writers, [], seconds)

        monkeypatch.setattr(v4l2.select, "select", select)
        return kernel

    yield connect
    for kernel in kernels:
        os.close(kernel.reader)
        os.close(kernel.writer)


def raw(kind: str, width: int, height: int, stride: int = 0) -> bytes:
    """Some picture."""
    length = planes.length(kind, (width, height), stride)
    return np.random.default_rng(width).integers(0, 256, length).astype(np.uint8).tobytes()


@pytest.mark.parametrize("camera", sorted(RECORDED))
def test_every_recorded_camera_is_opened(plug: Callable[..., Kernel], camera: str) -> None:
    kernel = plug(camera, raw("yuyv", 2592, 1944))
    source = sources.open_source(dict(ORDER))
    code, *size = kernel.asked
    assert source.options["size"] == size
    offered = [item[0] for item in kernel.formats[code]]
    assert "x".join(map(str, size)) in offered or offered[0] in ("?", "32x32-2592x1944/2")
    if kernel.asked[0] not in (b"MJPG", b"JPEG"):
        frame = source.read()
        assert frame.size == tuple(size)
        assert pixels.rgb(frame).shape == (size[1], size[0], 3)
    source.close()
    assert not kernel.streaming


def test_any_size_of_a_range_is_as_small_as_the_model_allows(plug: Callable[..., Kernel]) -> None:
    kernel = plug("Pi camera, bcm2835-v4l2", raw("yuv420", 352, 264))
    source = sources.open_source(dict(ORDER))
    assert kernel.asked == (b"YU12", 352, 264)
    source.close()


def test_a_camera_that_tells_no_sizes_is_asked_for_the_usual_one(plug: Callable[..., Kernel]) -> None:
    kernel = plug("silent", raw("yuyv", 640, 480))
    sources.open_source(dict(ORDER)).close()
    assert kernel.asked == (b"YUYV", 640, 480)


def test_motion_jpeg_passes_through(plug: Callable[..., Kernel]) -> None:
    kernel = plug("cheap UVC camera")
    source = sources.open_source({**ORDER, "size": [352, 288], "fps": 15})
    assert kernel.asked == (b"MJPG", 352, 288)
    assert kernel.rate_asked == 15
    assert (source.name, source.fps) == ("UVC cam (/dev/video0)", 25.0)
    for _ in range(5):
        frame = source.read()
        assert (frame.kind, frame.data, frame.size) == ("jpeg", PICTURES[0], (128, 128))
        assert 0.02 <= frame.cost < 1, "from the driver's time stamp on"
    source.close()
    assert not kernel.streaming


def test_unplugged_and_back(plug: Callable[..., Kernel]) -> None:
    kernel = plug("cheap UVC camera")
    source = sources.open_source(dict(ORDER))
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


def test_a_format_that_nobody_reads_is_refused(plug: Callable[..., Kernel]) -> None:
    kernel = plug("endoscope")
    kernel.formats = {b"RG10": [("640x480", 30.0)]}
    with pytest.raises(Failure, match=r"no format that edgenet reads \(RG10\)"):
        sources.open_source(dict(ORDER))
    kernel.formats = {b"YUYV": [("640x480", 30.0)]}
    kernel.form = (b"H264", 640, 480, 0)
    with pytest.raises(Failure, match="it gives H264 instead"):
        sources.open_source(dict(ORDER))


def test_what_the_bus_has_no_room_for_is_not_taken(plug: Callable[..., Kernel]) -> None:
    """uvcvideo answers STREAMON with ENOSPC, behind a hub or beside another camera."""
    kernel = plug("Logitech C920")
    kernel.narrow = True
    source = sources.open_source(dict(ORDER))
    assert kernel.asked == (b"MJPG", 640, 360)
    assert source.read().kind == "jpeg"
    source.reopen()
    assert source.read().kind == "jpeg"
    source.close()
    kernel = plug("endoscope")
    kernel.narrow = True
    with pytest.raises(Failure, match="no room for its pictures") as caught:
        sources.open_source(dict(ORDER))
    assert "a port of its own" in caught.value.remedy


@pytest.mark.parametrize("stride", [1280, 1304, 1537])
def test_rows_may_be_longer_than_their_pixels(plug: Callable[..., Kernel], stride: int) -> None:
    data = raw("yuyv", 640, 480, stride)
    kernel = plug("endoscope", data + b"what the driver adds")
    kernel.form = (b"YUYV", 640, 480, stride)
    source = sources.open_source(dict(ORDER))
    frame = source.read()
    assert frame.stride == stride
    np.testing.assert_array_equal(pixels.rgb(frame), planes.rgb("yuyv", data, (640, 480), stride))
    source.close()


def test_odd_sizes(plug: Callable[..., Kernel]) -> None:
    data = raw("yuyv", 321, 243)
    kernel = plug("endoscope", data)
    kernel.form = (b"YUYV", 321, 243, 0)
    source = sources.open_source(dict(ORDER))
    assert pixels.rgb(source.read()).shape == (243, 321, 3)
    source.close()


@pytest.mark.parametrize(
    ("space", "encoding", "full", "expected"),
    [
        (8, 0, 0, "bt601"),  # sRGB, as UVC cameras say
        (1, 0, 0, "bt601"),
        (3, 0, 0, "bt709"),
        (7, 0, 0, "bt601-full"),
        (8, 2, 0, "bt709"),
        (8, 1, 1, "bt601-full"),
        (3, 0, 1, "bt709-full"),
        (3, 1, 2, "bt601"),
    ],
)
def test_colors_are_what_the_driver_says(
    plug: Callable[..., Kernel], space: int, encoding: int, full: int, expected: str
) -> None:
    kernel = plug("endoscope", raw("yuyv", 640, 480))
    kernel.colors = (space, encoding, full)
    source = sources.open_source(dict(ORDER))
    assert source.read().color == expected
    source.close()


def test_a_camera_whose_largest_picture_is_too_small_says_so(plug: Callable[..., Kernel]) -> None:
    plug("thermal", raw("yuyv", 80, 60))
    source = sources.open_source(dict(ORDER))
    assert source.note == "its picture, 80x60, is smaller than what the model reads"
    source.close()
    plug("endoscope", raw("yuyv", 640, 480))
    source = sources.open_source(dict(ORDER))
    assert source.note == ""
    source.close()


def test_a_short_picture_is_damaged_and_the_next_one_whole(plug: Callable[..., Kernel]) -> None:
    kernel = plug("endoscope", raw("yuyv", 640, 480))
    source = sources.open_source(dict(ORDER))
    kernel.used -= 2
    with pytest.raises(Damaged, match="614398 of 614400 bytes"):
        source.read()
    kernel.used += 2
    assert len(source.read().data) == 614400
    source.close()


def test_a_change_of_the_signal_begins_again_with_its_size(plug: Callable[..., Kernel]) -> None:
    """V4L2_EVENT_SOURCE_CHANGE: what HDMI grabbers report."""
    kernel = plug("endoscope", raw("yuyv", 640, 480))
    source = sources.open_source(dict(ORDER))
    old = source.read().hold()
    kernel.picture, kernel.used, kernel.changed = raw("yuyv", 800, 600), 960000, True
    kernel.form = (b"YUYV", 800, 600, 0)
    kernel.queued.clear()
    frame = source.read()
    assert (frame.size, source.options["size"]) == ((800, 600), [800, 600])
    old.drop()
    assert source.read().size == (800, 600), "an old buffer is not used again"
    source.close()


def test_after_warming_up_raw_pictures_allocate_nothing(plug: Callable[..., Kernel]) -> None:
    plug("endoscope", raw("yuyv", 640, 480))
    source = sources.open_source(dict(ORDER))
    for _ in range(3):
        source.read().hold().drop()
    tracemalloc.start()
    try:
        for _ in range(20):
            source.read().hold().drop()
        assert tracemalloc.get_traced_memory()[1] < 20000, "a picture is 614400 bytes"
    finally:
        tracemalloc.stop()
    source.close()
