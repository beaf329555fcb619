"""The loss expected of noisy margins, held to a case with a closed form and to counting."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.crossed_loss import crossed_loss

NUMBERS = st.lists(st.floats(0.01, 20), min_size=1, max_size=12)


def drawn(images: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins from 0 to 10, a gain of 1, noise of 1: an answer falls with probability Phi(-margin)."""
    random = np.random.default_rng(seed)
    margins = random.uniform(0, 10, (images, 1))
    return margins, np.ones_like(margins), random.normal(0, 1, (images, 1))


def test_the_closed_form_and_less_chance_than_counting() -> None:
    expected = 1 / math.sqrt(2 * math.pi) / 10  # the integral of Phi(-m) over m >= 0, by the length
    crossed, counted = [], []
    for seed in range(60):
        margins, gains, noise = drawn(200, seed)
        crossed.append(crossed_loss(margins, gains, noise))
        counted.append(float((margins + noise < 0).mean()))
    assert np.mean(crossed) == pytest.approx(expected, rel=0.05)
    assert np.std(crossed) < 0.6 * np.std(counted)


def test_the_rival_that_is_furthest_ahead_decides_what_is_lost() -> None:
    margins, gains = np.array([[1.0, 2.0], [9.0, 9.0]]), np.array([[0.1, 0.7], [0.3, 0.4]])
    noise = np.array([[0.0, -4.0], [0.0, 4.0]])
    stretch = (-8.0 + 36.0) / (1 + 4 + 81 + 81)
    total = 0.0
    for sign in (1, -1):
        for shift in sign * (noise - stretch * margins):
            for row in range(2):
                left = (1 + stretch) * margins[row] + shift
                total += gains[row][left.argmin()] if left.min() < 0 else 0.0
    assert crossed_loss(margins, gains, noise) == pytest.approx(total / 8)


@given(NUMBERS, st.floats(0.05, 7))
def test_margins_that_are_stretched_lose_nothing(margins: list[float], by: float) -> None:
    ahead = np.array(margins)[:, None]
    assert crossed_loss(ahead, np.ones_like(ahead), (by - 1) * ahead) == 0


@given(NUMBERS, st.data())
def test_it_is_a_share_of_what_can_be_lost(margins: list[float], data: st.DataObject) -> None:
    ahead = np.array(margins)[:, None]
    noise = data.draw(st.lists(st.floats(-50, 50), min_size=len(margins), max_size=len(margins)))
    assert 0 <= crossed_loss(ahead, 0.5 * np.ones_like(ahead), np.array(noise)[:, None]) <= 0.5


@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_what_is_no_number_is_never_free(value: float) -> None:
    margins, gains, noise = drawn(20, 0)
    noise[3] = value
    assert crossed_loss(margins, gains, noise) > crossed_loss(*drawn(20, 0)) + 0.01
