"""Viewers' own pictures: answered as frames are, beside them, and refused where they should be."""

from __future__ import annotations

import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent import preprocess
from edgenet.agent.demo import gallery, own
from edgenet.agent.demo.body import Refused
from edgenet.agent.demo.controller import DemoController
from edgenet.agent.demo.encoded import header
from edgenet.agent.demo.frame import Frame
from edgenet.agent.demo.pipeline import Pipeline
from edgenet.agent.demo.sources.base import Source
from tests.agent.demo.test_pipeline import SPEC, Model
from tests.agent.demo.test_sources import PICTURES, form_of
from tests.conftest import smooth_images
from tests.test_orientation import stored


class Endless(Source):
    """A gray frame every few milliseconds until it is told to end."""

    name, order = "endless", {"kind": "script"}

    def read(self) -> Frame:
        time.sleep(0.005)
        frame = Frame("rgb", np.full((48, 64, 3), 9, np.uint8), (64, 48))
        frame.taken = time.perf_counter()
        return frame


class Asked(SimpleNamespace):
    """A request's body that is there."""

    def __init__(self, data: bytes) -> None:
        SimpleNamespace.__init__(self, size=len(data), read=lambda: data)


@pytest.fixture
def models() -> list[Model]:
    return [Model(), Model({**SPEC, "mean": [0.5]})]


@pytest.fixture
def controller(models: list[Model]) -> Iterator[DemoController]:
    source = Endless({"size": None})
    pipeline = Pipeline(source, models)
    host = SimpleNamespace(tell=lambda *_, **__: None)
    made = DemoController(pipeline, source, models, host, {"source": source.order, "keep": "kept/drift"})
    pipeline.start()
    yield made
    made.close()
    pipeline.stop()
    assert pipeline.failure is None


def ask(controller: DemoController, data: bytes) -> dict[str, Any]:
    time.sleep(own.LEAST_S)
    return controller.look_at(Asked(data))


@pytest.mark.parametrize("paused", [False, True])
def test_every_model_answers_the_very_pixels(
    controller: DemoController, models: list[Model], paused: bool
) -> None:
    """Also the model that is switched off for frames, and while the demo is paused."""
    controller.act("mode", {"mode": "b"})
    controller.act("pause", {"on": paused})
    data = PICTURES[0]
    found = ask(controller, data)
    assert [model["top"] for model in found["models"]] == [[["sign", 1.0, 0]]] * 2
    assert found["agree"] is True
    assert found["size"] == (128, 128)
    assert 0 < found["ms"]["invoke"] < found["ms"]["all"]
    expected = preprocess.fit(preprocess.decode(data), SPEC)
    for model in models:
        assert any(np.array_equal(seen, expected) for seen in model.seen)


def test_frames_go_on_and_an_own_picture_is_none_of_them(controller: DemoController) -> None:
    counts = controller.pipeline.figures.counts
    for _ in range(3):
        before = counts["answered"]
        ask(controller, PICTURES[1])
        deadline = time.monotonic() + 10
        while counts["answered"] <= before + 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    passage = controller.pipeline.last()
    assert passage.frame.kind == "rgb", "the newest frame is the camera's"
    passage.frame.drop()
    assert counts["damaged"] == 0
    assert controller.state()["trouble"] is None


def test_a_png_is_as_good_as_a_jpeg(controller: DemoController) -> None:
    assert ask(controller, stored(smooth_images(1)[0], 1, "PNG"))["as_stored"] is False


def test_a_tag_that_the_card_ignores_is_told(controller: DemoController) -> None:
    assert ask(controller, stored(smooth_images(1)[0], 6, "JPEG"))["as_stored"] is True


def black_png(*sides: int) -> bytes:
    """A PNG with a header for each side, and the first rows of black pixels of the last one."""
    heads = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) for side in sides]
    chunks = [*heads, (b"IDAT", zlib.compress(bytes(3 * sides[-1] + 1) * 20)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def two_faced(data: bytes, side: int) -> bytes:
    """A JPEG that is small for who takes TEM to have a length, and has many pixels for who does not.

    ITU-T T.81, B.1.1.3: TEM has none. Its "length" leads into a comment, where a small frame header lies.
    """
    frame = data.index(b"\xff\xc0")
    large = data[2 : frame + 5] + struct.pack(">HH", side, side) + data[frame + 9 :]
    decoy, after = data[frame : frame + 19], 4 + 0xFFFE
    first = b"\xff\xfe" + struct.pack(">H", 100) + bytes(98)
    second = b"\xff\xfe" + struct.pack(">H", 65530)
    filled = bytes(after - 4 - len(first) - len(second)) + decoy
    return b"\xff\xd8\xff\x01" + first + second + filled.ljust(65528, b"\0") + large


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither a JPEG nor a PNG"),
        (b"hello", "neither a JPEG nor a PNG"),
        (b"GIF89a" + bytes(100), "neither a JPEG nor a PNG"),
        (b"\xff\xd8\xff nothing", "its header is damaged"),
        (black_png(30000), "30000x30000 pixels, more than 16 megapixels"),
        (black_png(64, 8000), "8000x8000 pixels, more than 16 megapixels"),
        (two_faced(PICTURES[0], 5000), "5000x5000 pixels, more than 16 megapixels"),
        (stored(np.zeros((1, 40, 3), np.uint8), 1, "PNG"), "40x1 pixels, which is too long and thin"),
        (stored(np.zeros((9000, 600, 3), np.uint8), 1, "PNG"), "600x9000 pixels, which is too long and thin"),
        (form_of(PICTURES[0], (300, 200))[:900], "truncated|cannot be|not a readable"),
        (stored(smooth_images(1)[0], 1, "PNG")[:300], "truncated|not a readable"),
    ],
    ids=[
        "empty",
        "text",
        "gif",
        "jpeg-start",
        "bomb",
        "two-headers",
        "marker-without-length",
        "thin",
        "long",
        "cut-jpeg",
        "cut-png",
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(
    controller: DemoController, data: bytes, why: str
) -> None:
    with pytest.raises(Refused, match=f"the board cannot use this picture: .*({why})") as caught:
        ask(controller, data)
    assert caught.value.status == 400
    assert controller.pipeline.figures.counts["damaged"] == 0
    assert ask(controller, PICTURES[0])["agree"], "and the next one is answered"


def test_a_picture_that_the_board_has_no_memory_for_is_refused(
    controller: DemoController, monkeypatch: Any
) -> None:
    monkeypatch.setattr(own.sensors, "memory_available", lambda root: 0.1)
    with pytest.raises(Refused, match="its 128x128 pixels need 0 MB of memory, and 0 MB are free"):
        ask(controller, PICTURES[0])


def test_one_at_a_time_and_not_too_many(controller: DemoController, monkeypatch: Any) -> None:
    monkeypatch.setattr(own, "TURN_S", 0.05)
    data, slow, refused = PICTURES[0], threading.Event(), []
    body = Asked(data)
    body.read = lambda: slow.wait(10) and data
    first = threading.Thread(target=lambda: controller.look_at(body))
    first.start()
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            controller.look_at(Asked(data))
        refused.append((caught.value.status, str(caught.value)))
    slow.set()
    first.join(10)
    assert set(refused) == {(429, "another picture is being answered; try again")}
    monkeypatch.setattr(own, "LEAST_S", 60.0)
    time.sleep(0.1)
    controller.look_at(Asked(data))
    with pytest.raises(Refused, match="too many pictures at once"):
        controller.look_at(Asked(data))


def test_a_demo_that_stands_still_answers_nothing_and_says_so(models: list[Model], monkeypatch: Any) -> None:
    monkeypatch.setattr(own, "ANSWER_S", 0.05)
    pictures = own.OwnPictures(Pipeline(Endless({}), models), models)
    with pytest.raises(Refused, match="did not answer in time"):
        pictures.answer(Asked(PICTURES[0]))


@given(
    st.binary(max_size=64), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"P6 "])
)
def test_any_bytes_are_a_size_or_refused(data: bytes, start: bytes) -> None:
    try:
        form, (width, height) = header(start + data)
    except ValueError:
        return
    assert form in ("jpeg", "png", "pnm")
    assert width > 0
    assert height > 0


def test_what_is_collected_is_told_with_its_place(controller: DemoController) -> None:
    found = controller.state()["collecting"]
    assert found == {"folder": "kept/drift", "count": 0, "most": 2000, "every_s": 0.5, "trouble": None}


def test_what_was_ended_while_a_picture_was_kept_stays_ended(
    controller: DemoController, monkeypatch: Any
) -> None:
    controller.act("record", {"on": True})
    ended = threading.Event()

    def save(*_: Any) -> None:
        controller.act("record", {"on": False})
        ended.set()

    monkeypatch.setattr(controller._keeper, "save", save)
    assert ended.wait(10)
    for _ in range(3):  # when the keeper is done with it
        ask(controller, PICTURES[0])
        assert not controller.state()["recording"]


def test_no_more_is_collected_than_the_host_keeps(controller: DemoController) -> None:
    controller._keeper.saved["drift"] = 2000
    controller.act("record", {"on": True})
    assert not controller.state()["recording"]


@pytest.mark.parametrize("shape", [(112, 112), (40, 300), (7, 5), (97, 96)])
def test_a_thumbnail_is_the_picture_in_small(shape: tuple[int, int], tmp_path: Path) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[:, shape[1] // 2 :] = 200
    path = tmp_path / "picture.ppm"
    path.write_bytes(preprocess.encode_ppm(image))
    small = preprocess.decode(gallery.thumbnail(str(path))[0])
    assert max(small.shape[:2]) <= gallery.SIDE
    assert abs(int(small[0, 0, 0]) - 0) < 12
    assert abs(int(small[-1, -1, 0]) - 200) < 12
    assert gallery.thumbnail(str(tmp_path / "none")) is None


def test_the_gallery_s_pictures_are_there_by_number(models: list[Model], tmp_path: Path) -> None:
    path = tmp_path / "ann.ppm"
    path.write_bytes(preprocess.encode_ppm(np.full((20, 10, 3), 77, np.uint8)))
    source = Endless({})
    order = {"source": source.order, "gallery": [["ann", str(path)]]}
    host = SimpleNamespace(tell=lambda *_, **__: None)
    controller = DemoController(Pipeline(source, models), source, models, host, order)
    assert preprocess.decode(controller.thumbnail(0)[0]).shape == (20, 10, 3)
    assert controller.thumbnail(1) is None
    controller.close()
