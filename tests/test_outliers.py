"""The rule for outliers: honest about few boards, not fooled by several odd ones, quiet about trifles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.outliers import RULE, outliers

FIGURES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), max_size=30)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 100.0]])
def test_of_one_or_two_none_is_odd(values: list[float]) -> None:
    assert outliers(values, 0.0) == [False] * len(values)


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ([10.0, 10.1, 20.0], [2]),
        ([20.0, 10.1, 10.0], [0]),
        ([10.0, 11.0, 20.0], []),
        ([1.0, 10.0, 10.1, 10.2], [0]),
        ([10.0, 10.1, 20.0, 20.1], []),
        ([5.0, 5.0, 5.0], []),
    ],
)
def test_of_three_or_four_one_is_odd_if_the_gap_is_nearly_the_range(
    values: list[float], odd: list[int]
) -> None:
    """By Dixon's critical values at 95 %: 0.970 of three, 0.829 of four (Rorabacher 1991, table 1)."""
    assert [at for at, found in enumerate(outliers(values, 0.0)) if found] == odd


def test_two_odd_ones_do_not_hide_each_other() -> None:
    values = [10.0, 10.1, 9.9, 10.05, 9.95, 20.0, 21.0]
    assert outliers(values, 0.0) == [False] * 5 + [True] * 2


def test_where_most_are_the_same_the_least_difference_decides() -> None:
    values = [1.0, 1.0, 1.0, 1.0, 1.3, 1.1]
    assert outliers(values, 0.2) == [False, False, False, False, True, False]


@given(FIGURES, st.floats(0, 1e6))
def test_no_outlier_is_nearer_than_the_least_difference(values: list[float], least: float) -> None:
    found = outliers(values, least)
    assert len(found) == len(values)
    if values:
        middle = float(np.median(values))
        assert all(abs(value - middle) > least for value, odd in zip(values, found, strict=True) if odd)
        assert 2 * sum(found) <= len(values), "most boards are how boards of the kind are"


@pytest.mark.parametrize(("boards", "one_in"), [(3, 20), (4, 20), (5, 12), (10, 55)])
def test_marks_by_chance_are_as_rare_as_the_rule_says(boards: int, one_in: int) -> None:
    drawn = np.random.default_rng(0).standard_normal((3000, boards)).tolist()
    marked = sum(any(outliers(values, 0.0)) for values in drawn) / len(drawn)
    assert marked == pytest.approx(1 / one_in, rel=0.2)
    assert any(f"one in {one_in} " in line or f"one in {one_in} of" in line for line in (" ".join(RULE),))
