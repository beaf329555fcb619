"""Pillow's filters cut to a window, by Pillow and in numpy: the same as the window of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image

from edgenet.agent.preprocess import fit
from edgenet.agent.resample import pillow
from tests.agent.resample.pictures import Window, noise, windows

NUMBERS = {"bilinear-antialias": 2, "bicubic-antialias": 3}


def whole(image: np.ndarray, high: int, wide: int, name: str) -> np.ndarray:
    picture = Image.fromarray(image if image.shape[2] > 1 else image[:, :, 0])
    across = picture.resize((wide, image.shape[0]), NUMBERS[name])
    return np.asarray(across.resize((wide, high), NUMBERS[name])).reshape(high, wide, -1)


@given(windows(NUMBERS))
@settings(max_examples=80)
def test_any_window_of_any_size(window: Window) -> None:
    expected = window.of(whole(window.image, *window.full, window.name))
    for way in (pillow._by_pillow, pillow._by_numpy):
        assert np.array_equal(way(*window), expected), way


@pytest.mark.parametrize(
    ("size", "full", "first", "asked"),
    [
        (1280, 455, 116, 273),  # 91 * 1280 / 455 = 256: cut there
        (1920, 455, 116, 273),
        (480, 256, 16, 224),  # 480 / 256 is a dyadic fraction: cut anywhere
        (640, 341, 58, 341),  # no edge between lies where float32 holds it: the whole
        (224, 224, 0, 0),  # nothing to resize
    ],
)
def test_pillow_is_asked_for_as_little_as_keeps_every_weight(
    size: int, full: int, first: int, asked: int
) -> None:
    assert pillow.cut(size, full, first, 224, "bilinear-antialias").count == asked


@pytest.mark.parametrize(("rows", "columns"), [(480, 640), (720, 1280), (1080, 1920), (640, 480)])
@pytest.mark.parametrize("name", NUMBERS)
def test_frames_of_cameras(rows: int, columns: int, name: str) -> None:
    image = noise(rows, columns)
    spec = {"size": [224, 224], "resize": "short-side", "resize_to": 256, "interpolation": name}
    short, long = 256, 256 * max(rows, columns) // min(rows, columns)
    high, wide = (short, long) if rows < columns else (long, short)
    top, left = round((high - 224) / 2), round((wide - 224) / 2)
    expected = whole(image, high, wide, name)[top : top + 224, left : left + 224]
    for _ in range(8):  # both ways are tried before one is taken
        assert np.array_equal(fit(image, spec), expected)
        assert np.array_equal(fit(Image.fromarray(image), spec), expected)
    synonym = {"bilinear-antialias": "pillow-bilinear", "bicubic-antialias": "pillow-bicubic"}[name]
    assert np.array_equal(fit(image, {**spec, "interpolation": synonym}), expected)
