"""``tf.image.resize``, held to what TensorFlow 2.21 gave (Linux, x86-64, no GPU)."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from edgenet.agent.resample import tensorflow

# rows, columns, height, width, antialias: the first 16 digits of the sha256 of, as uint8,
# np.clip(np.rint(tf.image.resize(noise(rows, columns), (height, width), antialias=antialias)), 0, 255)
GOLDEN = [
    (480, 640, 224, 224, False, "9bf9b8e4e5729cfb"),
    (480, 640, 224, 224, True, "6f3ad2670d210905"),
    (240, 320, 256, 341, False, "e60c3f41c48972d6"),
    (240, 320, 256, 341, True, "d20d1918d4bb6bc7"),
    (37, 53, 24, 31, False, "363102eab093127a"),
    (37, 53, 24, 31, True, "59784b0ee56b7933"),
    (31, 17, 64, 80, False, "11df4c8894f9d069"),
    (31, 17, 64, 80, True, "f28911a2dbeaeeb4"),
    (225, 225, 224, 224, False, "ec5908a0870b6976"),
    (225, 225, 224, 224, True, "80d8b462539a94d1"),
    (1080, 1920, 256, 455, False, "d775eb48105b265a"),
    (1080, 1920, 256, 455, True, "87a11d450cb4a06a"),
    (500, 375, 96, 160, False, "b6d5402a418770f0"),
    (500, 375, 96, 160, True, "37cb483053aec0fd"),
]


def noise(rows: int, columns: int) -> np.ndarray:
    return np.random.RandomState(rows).randint(0, 256, (rows, columns, 3)).astype(np.uint8)


@pytest.mark.parametrize(("rows", "columns", "high", "wide", "antialias", "digest"), GOLDEN)
def test_tensorflow(rows: int, columns: int, high: int, wide: int, antialias: bool, digest: str) -> None:
    name = tensorflow.ANTIALIAS if antialias else tensorflow.PLAIN
    found = tensorflow.resampled(noise(rows, columns), (high, wide), (0, 0), (high, wide), name)
    assert hashlib.sha256(found.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("name", tensorflow.NAMES)
def test_a_window_is_a_part_of_the_whole(name: str) -> None:
    image = noise(90, 120)
    whole = tensorflow.resampled(image, (64, 85), (0, 0), (64, 85), name).copy()
    part = tensorflow.resampled(image, (64, 85), (9, 30), (50, 41), name)
    assert np.array_equal(part, whole[9:59, 30:71])


def test_halves_go_to_the_even_neighbor() -> None:
    image = np.array([[[10], [11], [12], [13]]], np.uint8)
    assert tensorflow.resampled(image, (1, 2), (0, 0), (1, 2), "tf-bilinear").ravel().tolist() == [10, 12]
