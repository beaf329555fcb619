"""Weights that share a lane: whatever is to be rounded, their integers fit, and as near as can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.graph.qdq.lanes import fits, lanes
from edgenet.quantize.rounding.fit_layer import fit
from edgenet.quantize.rounding.limits import apart, partners, within
from edgenet.quantize.rounding.second_moments import Moments
from edgenet.quantize.rounding.second_order import cost, nearest, second_order
from edgenet.recipe import Recipe
from tests.quantize.rounding.test_second_order import problem

whole = st.integers(-127, 127)


def fit_together(one: float, other: float) -> bool:
    return one * other <= 0 or abs(one + other) <= 128


@given(whole, whole)
def test_apart_is_the_nearest_pair_that_fits(one: int, other: int) -> None:
    a, b = (float(item) for item in apart(np.float64(one), np.float64(other)))
    assert fit_together(a, b)
    assert max(abs(a), abs(b)) <= 127
    moved = (a - one) ** 2 + (b - other) ** 2
    near = itertools.product(range(one - 64, one + 65), range(other - 64, other + 65))
    assert moved == min((x - one) ** 2 + (y - other) ** 2 for x, y in near if fit_together(x, y))


@given(st.integers(-400, 400), whole)
def test_within_is_the_nearest_that_another_one_leaves(value: int, other: int) -> None:
    free = [item for item in range(-127, 128) if fit_together(item, other)]
    assert float(within(np.float64(value), np.float64(other))) == min(free, key=lambda x: abs(x - value))
    assert float(within(np.float64(value))) == max(-127, min(127, value))


def test_partners_are_found_in_any_order() -> None:
    pairs = np.array([[0, 2], [4, 1]])
    assert partners(pairs, np.arange(6)) == [2, 4, 0, -1, 1, -1]
    assert partners(pairs, np.array([5, 4, 3, 2, 1, 0])) == [-1, 4, -1, 5, 1, 3]


@given(
    st.integers(0, 10**6),
    st.sampled_from([(6, 20, 1, 1), (3, 70, 1, 1), (4, 3, 3, 3), (5, 1, 3, 3)]),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 8.0]),
)
@settings(max_examples=60)
def test_every_pair_of_a_rounded_kernel_fits(
    seed: int, shape: tuple[int, int, int, int], shared: bool, offset: float
) -> None:
    """An offset gives all weights one sign: then nearly every pair is too large at first."""
    rows, inputs = shape[0], int(np.prod(shape[1:]))
    kernel, moments = problem(seed, 1, rows, inputs)
    kernel += offset * np.abs(kernel).max()
    pairs = lanes(shape, 1)
    values, scales = second_order(kernel, moments, 4, np.zeros((1, rows)), shared, pairs)
    assert np.array_equal(values, np.round(values))
    assert np.abs(values).max() <= 127
    assert fits(values.astype(np.int8).reshape(shape), 1)
    simple = nearest(kernel, scales, pairs)
    assert (cost(kernel, moments, values, scales) <= cost(kernel, moments, simple, scales) * (1 + 1e-9)).all()
    if not shared:
        grown = np.abs(kernel).max(axis=2) / 64  # a bit less, with which any pair fits
        plain = cost(kernel, moments, nearest(kernel, grown), grown)
        assert cost(kernel, moments, values, scales).sum() <= plain.sum() * 1.001


def fitted(kernel: np.ndarray, *lanes_of_rows: np.ndarray) -> np.ndarray:
    generator, moments = np.random.default_rng(3), Moments()
    for _ in range(4):
        moments.update(*[generator.normal(size=(1, 12, 100)).astype(np.float32)] * 2)
    how = Recipe("own", "", sweeps=4)
    got = fit(kernel, np.zeros(6, np.float32), moments, 0.02, how, np.zeros(1), *lanes_of_rows).weights
    assert got is not None
    return got.values


@pytest.mark.parametrize("other", [59, 90])
def test_a_grid_is_kept_where_its_pairs_fit(other: int) -> None:
    steps = np.random.default_rng(5).integers(-60, 60, (6, 12, 1, 1))
    steps[:, :2, 0, 0] = 61, other
    kernel = (steps * 0.01).astype(np.float32)
    free, paired = fitted(kernel), fitted(kernel, lanes(kernel.shape, 1))
    assert np.array_equal(free, steps)
    assert fits(paired, 1)
    assert np.array_equal(paired, free) == fits(free, 1) == (other == 59)
