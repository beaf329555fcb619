"""Lanes as ONNX Runtime packs them, held to a multiplication that saturates as the processor's does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.graph.qdq.lanes import LANE, fits, lanes
from tests.lanes import packed


@pytest.mark.parametrize(
    ("shape", "groups", "pairs"),
    [
        ((8, 4, 1, 1), 1, [[0, 1], [2, 3]]),
        ((8, 3, 1, 1), 1, [[0, 1]]),
        ((8, 2, 1, 2), 1, [[0, 2], [1, 3]]),  # two channels of one position
        ((8, 3, 1, 2), 1, [[0, 2], [4, 1], [3, 5]]),  # the third channel beside the next position's first
        ((8, 1, 2, 2), 8, []),
        ((16, 1, 2, 2), 8, [[0, 1], [2, 3]]),  # two filters a channel are no depthwise kernel
    ],
)
def test_pairs_follow_positions_then_channels(
    shape: tuple[int, ...], groups: int, pairs: list[list[int]]
) -> None:
    found = lanes(shape, groups)
    assert found.shape == (len(pairs), 2)
    assert found.tolist() == pairs


@pytest.mark.parametrize(
    ("one", "other", "fit"),
    [
        *((127, 1, True), (64, 64, True), (127, 2, False), (65, 64, False), (127, -127, True)),
        *((-127, -1, True), (-128, 0, True), (-128, -1, False), (-64, -65, False), (-128, 127, True)),
    ],
)
def test_the_limit_is_what_int16_takes(one: int, other: int, fit: bool) -> None:
    kernel = np.array([one, other], np.int8).reshape(1, 2, 1, 1)
    assert fits(kernel, 1) is fit
    assert fits(kernel[:, :1], 1)


@given(st.data())
@settings(max_examples=200)
def test_what_fits_saturates_for_no_activations(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 5)), *[data.draw(st.integers(1, 3))] * 2)
    generator = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    largest = data.draw(st.sampled_from([60, 64, 66, 127]))
    kernel = generator.integers(-largest, largest + 1, shape).astype(np.int8)
    extremes = [
        row[2 * lane] * a + row[2 * lane + 1] * b
        for row in packed(kernel)
        for lane in range(len(row) // 2)
        for a, b in itertools.product((0, 255), repeat=2)
    ]
    assert fits(kernel, 1) == (min(extremes) >= -(2**15) and max(extremes) < 2**15)


def test_the_limit_is_the_largest_one() -> None:
    assert 255 * LANE < 2**15 <= 255 * (LANE + 1)
