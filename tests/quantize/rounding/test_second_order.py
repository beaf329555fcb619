"""Second-order rounding, held to its own objective and to exhaustive search."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgenet.quantize.rounding.detect_grid import grid_scales
from edgenet.quantize.rounding.fit_layer import fit
from edgenet.quantize.rounding.second_moments import Moments
from edgenet.quantize.rounding.second_order import cost, nearest, second_order
from edgenet.recipe import Recipe


def recipe(sweeps: int = 4, damping: float = 0.01, adapt: float = 1.0) -> Recipe:
    return Recipe("own", "", sweeps=sweeps, damping=damping, adapt=adapt)


def problem(seed: int, groups: int, rows: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """A kernel and correlated moments, as neighboring pixels give."""
    generator = np.random.default_rng(seed)
    kernel = generator.normal(size=(groups, rows, inputs)) * 10.0 ** generator.uniform(-3, 2)
    mixed = generator.normal(size=(groups, inputs, 2 * inputs)) + generator.normal(
        size=(groups, 1, 2 * inputs)
    )
    moments = mixed @ mixed.swapaxes(1, 2) / (2 * inputs) + 0.01 * np.eye(inputs)
    return kernel, moments


@given(st.integers(0, 10**6), st.sampled_from([(1, 6, 20), (5, 1, 9), (1, 3, 70)]), st.booleans())
@settings(max_examples=40)
@example(768, (5, 1, 9), False)
def test_never_worse_than_nearest(seed: int, shape: tuple[int, int, int], shared: bool) -> None:
    kernel, moments = problem(seed, *shape)
    floor = np.zeros(shape[:2])
    values, scales = second_order(kernel, moments, 8, floor, shared)
    assert np.abs(values).max() <= 127
    assert np.array_equal(values, np.round(values))
    mine = cost(kernel, moments, values, scales)
    assert (mine <= cost(kernel, moments, nearest(kernel, scales), scales) * (1 + 1e-9)).all(), "same scales"
    if shared:
        assert len(np.unique(scales)) == 1
    else:
        plain = np.abs(kernel).max(axis=2) / 127
        assert mine.sum() <= cost(kernel, moments, nearest(kernel, plain), plain).sum() * 1.001


def test_correlated_inputs_win_decibels() -> None:
    kernel, moments = problem(1, 1, 32, 64)
    plain = np.abs(kernel).max(axis=2) / 127
    values, scales = second_order(kernel, moments, 8, np.zeros((1, 32)))
    before, after = (
        cost(kernel, moments, *item).sum() for item in ((nearest(kernel, plain), plain), (values, scales))
    )
    assert 10 * np.log10(before / after) > 2


def test_near_the_best_of_all_roundings() -> None:
    """Six weights: every choice of floor and ceiling is tried."""
    won = 0
    for seed in range(20):
        kernel, moments = problem(seed, 1, 1, 6)
        values, scales = second_order(kernel, moments, 20, np.zeros((1, 1)))
        low = np.floor(kernel / scales[..., None])
        choices = (low + np.array(bits) for bits in itertools.product((0, 1), repeat=6))
        best = min(float(cost(kernel, moments, choice, scales)[0, 0]) for choice in choices)
        won += float(cost(kernel, moments, values, scales)[0, 0]) <= best * 1.3
    assert won >= 16


def test_a_grid_is_found_again() -> None:
    """Weights that lie on an int8 grid already (a dequantized model) lose nothing."""
    generator = np.random.default_rng(4)
    whole = generator.integers(-40, 41, (1, 5, 30)).astype(float)
    whole[:, :, 0] = 40
    kernel = whole * 0.0173
    moments = problem(4, 1, 5, 30)[1]
    values, scales = second_order(kernel, moments, 8, np.zeros((1, 5)))
    assert np.abs(values * scales[..., None] - kernel).max() < 1e-9


def test_the_floor_of_a_scale_is_kept() -> None:
    kernel, moments = problem(5, 1, 4, 12)
    floor = np.full((1, 4), np.abs(kernel).max())
    scales = second_order(kernel, moments, 4, floor)[1]
    assert (scales >= floor).all()


class TestFit:
    """One layer: noisy inputs, the float output to meet."""

    def seen(self, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Moments]:
        generator = np.random.default_rng(seed)
        exact = np.maximum(generator.normal(0.5, 1, (12, 4000)), 0).astype(np.float32)
        rounded = (exact + generator.normal(0.03, noise, exact.shape)).astype(np.float32)
        moments = Moments()
        for part in range(4):
            window = np.s_[None, :, part * 1000 : (part + 1) * 1000]
            moments.update(rounded[window], exact[window])
        return exact, rounded, moments

    def test_the_bias_takes_up_the_mean(self) -> None:
        exact, rounded, moments = self.seen(0.05)
        generator = np.random.default_rng(1)
        kernel = generator.normal(size=(6, 12, 1, 1)).astype(np.float32)
        bias = generator.normal(size=6).astype(np.float32)
        got = fit(kernel, bias, moments, 0.02, recipe(adapt=0.5), np.zeros(1))
        used, offset = got.real
        truth = kernel[:, :, 0, 0] @ exact + bias[:, None]
        plain = kernel[:, :, 0, 0] @ rounded + bias[:, None]
        mine = used[:, :, 0, 0] @ rounded + offset[:, None]
        assert np.abs((mine - truth).mean(axis=1)).max() < 5e-4
        assert np.abs((plain - truth).mean(axis=1)).max() > 0.01

    def test_adapting_leans_less_on_noisy_inputs(self) -> None:
        kernel = np.random.default_rng(3).normal(size=(6, 12, 1, 1)).astype(np.float32)
        bias, errors = np.zeros(6, np.float32), []
        for adapt in (0.0, 1.0):
            exact, rounded, moments = self.seen(0.4, seed=2)
            used, offset = fit(
                kernel, bias, moments, 0.02, recipe(damping=0.001, adapt=adapt), np.zeros(1)
            ).real
            miss = used[:, :, 0, 0] @ rounded + offset[:, None] - kernel[:, :, 0, 0] @ exact
            errors.append(float((miss**2).mean()))
        assert errors[1] < 0.95 * errors[0]

    def test_adapting_to_few_positions_does_not_harm(self) -> None:
        """Sixteen positions for twelve weights: a regression made from them is mostly chance."""
        generator = np.random.default_rng(4)
        kernel = generator.normal(size=(6, 12, 1, 1)).astype(np.float32)
        errors = {0.0: 0.0, 1.0: 0.0}
        for seed in range(20):
            exact, rounded, _ = self.seen(0.4, seed)
            for adapt in errors:
                moments = Moments()
                for part in range(4):
                    moments.update(*(item[None, :, 4 * part : 4 * part + 4] for item in (rounded, exact)))
                used, offset = fit(
                    *(kernel, np.zeros(6, np.float32), moments, 0.02),
                    *(recipe(damping=0.001, adapt=adapt), np.zeros(1)),
                ).real
                miss = used[:, :, 0, 0] @ rounded + offset[:, None] - kernel[:, :, 0, 0] @ exact
                errors[adapt] += float((miss - miss.mean(axis=1, keepdims=True)).var())
        assert errors[1.0] < 1.05 * errors[0.0]

    def test_the_bias_of_a_float_input_stays_float(self) -> None:
        """Integers of a coarse scale would cost more than all weights together."""
        _, _, moments = self.seen(0.0)
        kernel = np.random.default_rng(6).normal(size=(6, 12, 1, 1)).astype(np.float32)
        bias = np.random.default_rng(7).normal(size=6).astype(np.float32) * 1e-3
        got = fit(kernel, bias, moments, None, recipe(adapt=0.0), np.zeros(1))
        exact, rounded = moments.means[1][0], moments.means[0][0]
        wanted = kernel[:, :, 0, 0] @ exact + bias - got.real[0][:, :, 0, 0] @ rounded
        assert got.real[1] == pytest.approx(wanted, abs=1e-6)

    def test_weights_on_a_grid_stay_there(self) -> None:
        _, _, moments = self.seen(0.3)
        generator = np.random.default_rng(5)
        whole, scales = generator.integers(-60, 60, (6, 12)), generator.uniform(0.01, 0.02, 6)
        whole[0, :2], kernel = (60, 59), whole * scales[:, None]
        kernel[5] = generator.normal(size=12)
        kernel = kernel.astype(np.float32).reshape(6, 12, 1, 1)
        got = fit(kernel, np.zeros(6, np.float32), moments, 0.02, recipe(), np.zeros(1))
        assert got.real[0][:5] == pytest.approx(kernel[:5], rel=1e-5)
        assert not np.allclose(got.real[0][5], kernel[5], rtol=1e-3)
        _, _, moments = self.seen(0.3)
        how = replace(recipe(), leave_grid=True)
        free = fit(kernel, np.zeros(6, np.float32), moments, 0.02, how, np.zeros(1))
        assert not any(np.allclose(free.real[0][row], kernel[row], rtol=1e-3) for row in range(6))

    def test_bias_scale_is_the_product(self) -> None:
        _, _, moments = self.seen(0.05)
        kernel = np.random.default_rng(1).normal(size=(6, 12, 1, 1)).astype(np.float32)
        got = fit(
            *(kernel, np.full(6, 3e4, np.float32), moments, 1e-6, recipe(sweeps=2, adapt=0.0), np.zeros(1))
        ).weights
        assert np.allclose(got.bias_scales, np.float32(1e-6) * got.scales, rtol=1e-6)
        assert np.abs(got.bias.astype(np.int64)).max() <= 2**30
        assert got.bias * got.bias_scales.astype(np.float64) == pytest.approx(np.full(6, 3e4), rel=1e-3)


@given(st.integers(0, 10**6), st.integers(2, 30))
@settings(max_examples=40)
def test_a_grid_is_the_coarsest_that_fits(seed: int, inputs: int) -> None:
    generator = np.random.default_rng(seed)
    whole = generator.integers(-127, 128, (4, inputs))
    scales = 10.0 ** generator.uniform(-6, 2, 4)
    found = grid_scales((whole * scales[:, None]).astype(np.float32).reshape(4, inputs, 1, 1))
    for row, scale, got in zip(whole, scales, found, strict=True):
        if not row.any():
            assert got == 0
            continue
        assert got >= scale * 0.999
        steps = row * scale / got
        assert np.abs(steps - np.round(steps)).max() < 0.021
        assert np.abs(steps).max() < 127.1


def test_weights_without_a_grid_have_none() -> None:
    assert not grid_scales(np.random.default_rng(0).normal(size=(500, 1, 3, 3)).astype(np.float32)).any()


def test_moments_are_numpy_s_covariance() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.normal(5, 0.1, (3, 4, 600)).astype(np.float32) for _ in "ab")
    seen = Moments()
    for part in range(3):
        seen.update(a[..., part * 200 : (part + 1) * 200], b[..., part * 200 : (part + 1) * 200])
    own, cross = seen.covariances()
    for group in range(3):
        assert np.allclose(own[group], np.cov(a[group], bias=True), rtol=1e-3, atol=1e-6)
        together = np.cov(b[group], a[group], bias=True)[:4, 4:]
        assert np.allclose(cross[group], together, rtol=1e-3, atol=1e-5)
    assert np.allclose(seen.means[0], a.mean(axis=2), atol=1e-5)
