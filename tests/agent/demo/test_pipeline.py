"""The demo's stages with doubles of a source and of models: what goes through them, and what goes wrong."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgenet.agent import planes
from edgenet.agent.demo import pixels
from edgenet.agent.demo.controller import DemoController
from edgenet.agent.demo.frame import Frame
from edgenet.agent.demo.pipeline import Pipeline
from edgenet.agent.demo.sources.base import Damaged, Ended, Lost, Source
from tests.agent.demo.test_modes import IMAGENET, SMALL
from tests.agent.demo.test_sources import PICTURES, form_of

SPEC = {**IMAGENET, "interpolation": "bilinear-antialias"}


class Model:
    """A model that answers at once, and keeps a copy of what it saw."""

    def __init__(self, spec: dict[str, Any] = SPEC) -> None:
        self.spec, self.key = spec, str(spec)
        self.about = {"name": "model.tflite.int8", "backend": "tflite", "digest": "0"}
        self.places = np.zeros((2, *spec["size"], 3), np.uint8)
        self.seen: list[np.ndarray] = []

    def room(self) -> np.ndarray:
        return self.places[len(self.seen) % 2]

    def start(self) -> None:
        self.seen.append(self.room().copy())

    def finish(self) -> tuple[np.ndarray, float]:
        return np.zeros(2, np.float32), 0.001

    def top(self, _raw: np.ndarray) -> list[list[Any]]:
        return [["sign", 1.0, 0]]

    def boxes(self, _raw: np.ndarray, _size: Any) -> list[Any] | None:
        return None

    def told(self, _raw: np.ndarray, top: list[list[Any]]) -> Any:
        return top[0][2]

    def memory_mb(self) -> float:
        return 1.0


class Script(Source):
    """Gives what it was told to, each when the one before it is through."""

    name, order = "script", {"kind": "script"}

    def __init__(self, steps: list[Any]) -> None:
        Source.__init__(self, {"size": None})
        self.steps, self.pipeline, self.looks = list(steps), None, []
        self.gone = 0

    def read(self) -> Frame:
        counts = self.pipeline.figures.counts
        given = counts["captured"]
        deadline = time.monotonic() + 5
        while counts["answered"] + counts["damaged"] - self.gone < given and time.monotonic() < deadline:
            time.sleep(0.001)
        if not self.steps:
            raise Ended
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            self.gone += isinstance(step, Damaged)
            raise step
        frame = step() if callable(step) else step
        frame.taken = time.perf_counter()
        return frame

    def look(self, wanted: bool) -> None:
        self.looks.append(wanted)


def ran(steps: list[Any], *models: Model) -> Pipeline:
    """The pipeline when all of it went through."""
    source = Script(steps)
    source.pipeline = pipeline = Pipeline(source, list(models))
    pipeline.start()
    assert pipeline.ended.wait(30)
    pipeline.stop()
    assert pipeline.failure is None
    return pipeline


def raw(kind: str, width: int, height: int, stride: int = 0) -> Frame:
    length = planes.length(kind, (width, height), stride)
    data = np.random.default_rng(width).integers(0, 256, length).astype(np.uint8)
    frame = Frame(kind, data.tobytes(), (width, height))
    frame.stride = stride
    return frame


def test_the_demo_goes_on_when_size_form_and_health_change() -> None:
    """Each picture of another kind, among them a cut JPEG and a raw one of the wrong length."""
    short = raw("yuyv", 64, 48)
    short.data = short.data[:-2]
    steps = [
        raw("yuyv", 64, 48),
        raw("yuyv", 321, 243, 700),
        Frame("jpeg", form_of(PICTURES[0], (300, 200), subsampling="4:4:4"), (300, 200)),
        Frame("jpeg", form_of(PICTURES[0], (300, 200))[:900], (300, 200)),
        Damaged("the driver says so"),
        short,
        Frame("jpeg", form_of(PICTURES[1], (90, 140), "L", progressive=True), (90, 140)),
        raw("nv12", 33, 21),
        Frame("rgb", np.full((20, 30, 3), 9, np.uint8), (30, 20)),
    ]
    model = Model()
    pipeline = ran(steps, model)
    counts = pipeline.figures.counts
    assert (counts["answered"], counts["damaged"]) == (6, 3)
    assert (model.seen[-1] == 9).all()
    assert len(model.seen) == 6


def test_a_camera_that_goes_after_a_damaged_picture_is_counted_as_lost() -> None:
    source = Script([Frame("jpeg", b"\xff\xd8\xff nothing", (1, 1)), Lost("unplugged")])
    source.pipeline = pipeline = Pipeline(source, [Model()])
    pipeline.start()
    assert pipeline.ended.wait(10)
    pipeline.stop()
    assert pipeline.figures.counts["damaged"] == 1
    assert pipeline.figures.counts["lost"] == 1


def test_a_frame_s_parts_add_up_to_its_age() -> None:
    """To the nanosecond: what the interpreter spends between two readings of the clock belongs to a part."""
    figures = ran([raw("yuv420", 64, 48) for _ in range(20)], Model()).figures
    parts = sum(figures.parts[name][0].total for name in ("capture", "wait", "pre", "invoke", "post"))
    assert parts == pytest.approx(figures.age[0].total, abs=1e-8)


def test_both_models_are_given_the_frame_in_place() -> None:
    first, twin, other = Model(), Model(), Model({**SMALL, "interpolation": "nearest"})
    ran([raw("yuv420", 64, 48)], first, twin)
    np.testing.assert_array_equal(first.seen[0], twin.seen[0])
    ran([raw("yuv420", 64, 48)], Model(), other)
    assert other.seen[0].shape == (96, 96, 3)


def test_people_are_shown_the_larger_picture_and_the_figures_say_so() -> None:
    frame = raw("yuv420", 64, 48)
    frame.large = Frame("rgb24", bytes(range(256)) * (32 * 24 * 3 // 256), (32, 24)).hold()
    source, model = Script([frame]), Model()
    source.pipeline = pipeline = Pipeline(source, [model])
    pipeline.view.watch(1)
    pipeline.view.watch(1)
    pipeline.start()
    _, data, kind, _ = pipeline.view.picture(None, 10)
    pipeline.view.watch(-1)
    pipeline.view.watch(-1)
    assert source.looks == [True, False], "the first comes, the last goes"
    assert pixels.rgb(Frame(kind, data)).shape == (24, 32, 3)
    host = SimpleNamespace(tell=lambda *_, **__: None)
    controller = DemoController(pipeline, source, [model], host, {"source": {"kind": "script"}})
    state = controller.state()
    controller.close()
    assert state["sizes"] == {
        "camera": (64, 48),
        "format": "yuv420",
        "models": [[224, 224]],
        "page": (32, 24),
    }
    assert state["source"]["note"] is None
    pipeline.stop()


@pytest.mark.parametrize(
    "make",
    [
        lambda: raw("yuyv", 640, 480),
        lambda: raw("yuv420", 640, 480, 704),
        lambda: raw("nv12", 640, 480),
        lambda: raw("rgb24", 640, 480),
        lambda: raw("bgrx", 640, 480),
        lambda: raw("grey", 640, 480),
        lambda: Frame("rgb", np.zeros((480, 640, 3), np.uint8), (640, 480)),
    ],
    ids=["yuyv", "yuv420", "nv12", "rgb24", "bgrx", "grey", "rgb"],
)
def test_preparing_raw_pictures_keeps_nothing_and_makes_little(make: Callable[[], Frame]) -> None:
    """Pillow's own memory is not seen here; numpy's is: no picture of the camera's size is ever made."""
    frame, model = make(), Model()
    for _ in range(12):
        pixels.fill([model], frame)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            pixels.fill([model], frame)
        now, most = tracemalloc.get_traced_memory()
        assert now - before < 4000
        assert most - before < 640 * 480 * 1.2, "one plane for Pillow, which takes it whole"
    finally:
        tracemalloc.stop()
