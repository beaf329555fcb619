"""OpenCV's resampling, held to OpenCV to the bit."""

from __future__ import annotations

import sys
from unittest import mock

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from edgenet.agent.preprocess import fit
from edgenet.agent.resample import opencv
from tests.agent.resample.pictures import Window, noise, windows

NUMBERS = {
    "opencv-linear": cv2.INTER_LINEAR,
    "opencv-area": cv2.INTER_AREA,
    "opencv-cubic": cv2.INTER_CUBIC,
}


def by_opencv(image: np.ndarray, high: int, wide: int, name: str) -> np.ndarray:
    """OpenCV's own code, as it runs on Arm: without Intel's IPP."""
    cv2.ipp.setUseIPP(False)
    resized = cv2.resize(image, (wide, high), interpolation=NUMBERS[name])
    return resized.reshape(high, wide, image.shape[2])


@pytest.fixture(params=["numpy", "OpenCV"], autouse=True)
def engine(request: pytest.FixtureRequest):
    opencv.library.cache_clear()
    if request.param == "OpenCV":
        assert all(opencv.library(name) is cv2 for name in opencv.NAMES)
        yield request.param
    else:
        with mock.patch.dict(sys.modules, {"cv2": None}):
            assert not any(opencv.library(name) for name in opencv.NAMES)
            yield request.param
    opencv.library.cache_clear()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    ("rows", "columns", "high", "wide"),
    [
        (480, 640, 256, 341), (720, 1280, 256, 455), (448, 448, 224, 224), (768, 768, 256, 256),
        (960, 1280, 240, 320), (240, 320, 256, 341), (1, 1, 8, 8), (500, 200, 300, 100), (2450, 2450, 50, 50),
        (224, 300, 224, 224), (30, 30, 30, 30),
    ],
)  # fmt: skip
def test_sizes_of_cameras_and_whole_ratios(rows: int, columns: int, high: int, wide: int, name: str) -> None:
    image = noise(rows, columns)
    found = opencv.resampled(image, (high, wide), (0, 0), (high, wide), name)
    assert np.array_equal(found, by_opencv(image, high, wide, name))


@given(windows(NUMBERS))
@settings(max_examples=60)
def test_any_window_of_any_size(window: Window) -> None:
    whole = by_opencv(window.image, *window.full, window.name)
    assert np.array_equal(opencv.resampled(*window), window.of(whole))


@pytest.mark.parametrize(("high", "wide"), [(6, 1), (1, 7), (3, 3), (5, 2), (2, 2)])
def test_halves_of_whole_blocks(high: int, wide: int) -> None:
    """The sum times one through their number is rounded to float32 before it is to an integer."""
    image = noise(40 * high, 40 * wide)
    found = opencv.resampled(image, (40, 40), (0, 0), (40, 40), "opencv-area")
    assert np.array_equal(found, by_opencv(image, 40, 40, "opencv-area"))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_loop_written_by_hand_sees_the_same(name: str) -> None:
    image = noise(480, 640)
    spec = {"size": [224, 224], "resize": "short-side", "resize_to": 256, "interpolation": name}
    assert np.array_equal(fit(image, spec), by_opencv(image, 256, 341, name)[16:240, 58:282])


def test_an_opencv_of_other_pixels_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    real = cv2.resize

    def brighter(image: np.ndarray, size: tuple[int, int], dst: np.ndarray, interpolation: int) -> None:
        real(image, size, dst=dst, interpolation=interpolation)
        dst[0, 0, 0] ^= 1

    monkeypatch.setattr(cv2, "resize", brighter)
    opencv.library.cache_clear()
    assert not any(opencv.library(name) for name in NUMBERS)
    monkeypatch.undo()


def test_ipp_is_left_as_it_was(engine: str) -> None:
    cv2.ipp.setUseIPP(True)
    used = cv2.ipp.useIPP()
    opencv.resampled(noise(40, 40), (20, 31), (0, 0), (20, 31), "opencv-cubic")
    assert cv2.ipp.useIPP() == used
