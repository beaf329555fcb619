"""Which of a camera's modes is asked for: a pure choice, on what real cameras offer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent.demo.sources.modes import COSTS, FPS, Mode, choose
from edgenet.agent.demo.sources.need import covers, smallest
from tests.agent.demo.cameras import modes

IMAGENET = {"size": [224, 224], "resize": "short-side", "resize_to": 256}
STRETCHED = {"size": [224, 224], "resize": "stretch"}
SMALL = {"size": [96, 96], "resize": "stretch"}
EXACT = {"size": [240, 320], "resize": "none"}


@pytest.mark.parametrize(
    ("camera", "spec", "kind", "size"),
    [
        ("Logitech C920", IMAGENET, "yuyv", (640, 360)),
        ("Logitech C920", SMALL, "yuyv", (320, 180)),
        ("Logitech C270, C310", IMAGENET, "yuyv", (640, 480)),
        ("Logitech C270, C310", STRETCHED, "yuyv", (320, 240)),
        ("cheap UVC camera", IMAGENET, "jpeg", (640, 480)),
        ("USB microscope", IMAGENET, "yuyv", (640, 480)),
        ("laptop", IMAGENET, "yuyv", (640, 360)),
        ("laptop", SMALL, "yuyv", (320, 180)),
        ("endoscope", IMAGENET, "yuyv", (640, 480)),
        ("industrial", STRETCHED, "yuyv", (320, 240)),
        ("industrial", EXACT, "yuyv", (320, 240)),
        ("thermal", IMAGENET, "yuyv", (80, 60)),
        ("gray and color", IMAGENET, "yuyv", (640, 480)),
        ("gray", IMAGENET, "grey", (640, 480)),
        ("large only", IMAGENET, "jpeg", (1920, 1080)),
    ],
)
def test_the_cheapest_mode_that_covers_and_is_fast_enough(
    camera: str, spec: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    mode = choose(modes(camera), [spec])
    assert (mode.kind, mode.size) == (kind, size)


@pytest.mark.parametrize(
    ("camera", "size", "fps", "kind", "got"),
    [
        ("Logitech C920", (1280, 720), None, "jpeg", (1280, 720)),
        ("Logitech C920", (1280, 720), 10, "yuyv", (1280, 720)),
        ("Logitech C920", (2304, 1536), 30, "yuyv", (2304, 1536)),
        ("Logitech C920", None, 60, "yuyv", (640, 360)),
        ("USB microscope", (800, 600), 20, "yuyv", (800, 600)),
        ("USB microscope", (800, 600), 30, "jpeg", (800, 600)),
        ("cheap UVC camera", (600, 400), None, "jpeg", (640, 480)),
        ("large only", None, 15, "jpeg", (1920, 1080)),
    ],
)
def test_what_the_user_asks_for_wins(
    camera: str, size: tuple[int, int] | None, fps: float | None, kind: str, got: tuple[int, int]
) -> None:
    mode = choose(modes(camera), [IMAGENET], size, fps)
    assert (mode.kind, mode.size) == (kind, got)


def test_raw_pictures_that_are_too_slow_are_not_taken() -> None:
    slow, fast = Mode("yuyv", (640, 480), 10.0, b""), Mode("jpeg", (640, 480), 30.0, b"")
    assert choose([slow, fast], [IMAGENET]) is fast
    assert choose([slow, fast], [IMAGENET], fps=10) is slow
    assert choose([slow, fast._replace(fps=29.97)], [IMAGENET]).kind == "jpeg"
    assert choose([slow._replace(fps=None), fast], [IMAGENET]).kind == "yuyv", (
        "it does not say how fast it is"
    )


def test_two_models_are_both_covered() -> None:
    assert choose(modes("Logitech C270, C310"), [SMALL, STRETCHED]).size == (320, 240)
    assert choose(modes("Logitech C270, C310"), [SMALL]).size == (160, 120)


def test_without_a_model_it_is_the_usual_size() -> None:
    assert choose(modes("Logitech C270, C310"), []).size == (640, 480)


MODES = st.builds(
    Mode,
    kind=st.sampled_from(sorted(COSTS)),
    size=st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    fps=st.none() | st.floats(0.5, 240),
    code=st.just(b""),
)


@given(st.lists(MODES, min_size=1, max_size=30), st.sampled_from([IMAGENET, STRETCHED, SMALL, EXACT]))
def test_a_mode_that_covers_at_the_best_rate_is_never_passed_over(
    offered: list[Mode], spec: dict[str, Any]
) -> None:
    chosen = choose(offered, [spec])
    assert chosen in offered
    able = [mode for mode in offered if covers(mode.size, [spec])]
    if able:
        assert covers(chosen.size, [spec])
        best = max(FPS if mode.fps is None else mode.fps for mode in able)
        assert chosen.fps is None or chosen.fps >= 0.95 * min(best, FPS)


@pytest.mark.parametrize(
    ("specs", "shape", "step", "expected"),
    [
        ([IMAGENET], (4, 3), 128, (384, 288)),
        ([STRETCHED], (4, 3), 64, (320, 240)),
        ([IMAGENET], (16, 9), 64, (512, 288)),
        ([IMAGENET, SMALL], (640, 480), 2, (340, 256)),
        ([EXACT], (16, 9), 64, (320, 240)),
        ([], (4, 3), 64, (640, 480)),
    ],
)
def test_the_smallest_size_of_a_shape(
    specs: list[dict[str, Any]], shape: tuple[int, int], step: int, expected: tuple[int, int]
) -> None:
    found = smallest(specs, shape, step)
    assert found == expected
    assert covers(found, specs)


def test_nothing_larger_than_the_largest_is_asked_for() -> None:
    assert smallest([IMAGENET], (160, 120), 64, (160, 120)) == (128, 96)
    assert smallest([IMAGENET], (32, 24), 64, (32, 24)) == (32, 24)
