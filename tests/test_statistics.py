"""Statistics held to published worked examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.statistics import mcnemar, paired_interval, wilson


def test_wilson_newcombe_1998_table_1() -> None:
    """Newcombe (Stat. Med. 17, 857-872), Table I, method 3: 81/263 and 15/148."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


def test_mcnemar_is_the_exact_binomial() -> None:
    """10 against 2 of 12: 2 * (1 + 12 + 66) / 4096."""
    assert mcnemar(10, 2) == pytest.approx(2 * 79 / 4096)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(3000, 3200) == pytest.approx(mcnemar(3200, 3000))


def test_paired_interval_newcombe_method_10() -> None:
    """Newcombe (Stat. Med. 17, 2635-2650), method 10; cells e=36, f=14, g=12... are symmetric here.

    Without correlation (phi = 0) it is the square-and-add of two Wilson intervals, computed by hand.
    """
    low, high = paired_interval(25, 25, 25, 25)
    l1, u1 = wilson(50, 100)
    half = math.hypot(0.5 - l1, u1 - 0.5)
    assert (low, high) == pytest.approx((-half, half))


def test_paired_interval_of_identical_answers_is_narrow() -> None:
    low, high = paired_interval(900, 0, 0, 100)
    assert low <= 0 <= high
    assert high - low < 0.008
    assert paired_interval(900, 60, 0, 40)[1] < 0


@given(*[st.integers(0, 300)] * 4)
def test_interval_holds_the_difference(both: int, first: int, second: int, neither: int) -> None:
    total = both + first + second + neither
    if not total:
        return
    low, high = paired_interval(both, first, second, neither)
    difference = (second - first) / total
    assert low - 1e-12 <= difference <= high + 1e-12
    mirrored = paired_interval(both, second, first, neither)
    assert mirrored == pytest.approx((-high, -low), abs=1e-9)
