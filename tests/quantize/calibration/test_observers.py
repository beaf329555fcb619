"""Streaming histograms and observers against numpy on the whole data."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.errors import DataError
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.calibration.histogram import Histogram
from edgenet.quantize.calibration.observers import (
    OBSERVERS,
    Entropy,
    Error,
    MovingAverage,
    Percentile,
    _search,
    _squared_error,
    divergence,
)


@given(
    st.integers(0, 10**6), st.sampled_from(["normal", "relu", "negative", "shifted"]), st.floats(1e-3, 1e3)
)
@settings(max_examples=60)
def test_a_stream_counts_every_value_once(seed: int, kind: str, size: float) -> None:
    generator = np.random.default_rng(seed)
    parts = [generator.normal(0, size * 4.0 ** generator.uniform(-2, 2), 400) for _ in range(6)]
    shape = {"normal": lambda v: v, "relu": lambda v: np.maximum(v, 0), "negative": lambda v: -np.abs(v)}
    parts = [shape.get(kind, lambda v: v + 5 * size)(part).astype(np.float32) for part in parts]
    seen = Histogram()
    for part in parts:
        seen.update(part)
    values = np.concatenate(parts)
    assert seen.counts.sum() == values.size
    assert (seen.low, seen.high) == (float(values.min()), float(values.max()))
    expected = np.histogram(values.astype(np.float64), seen.edges)[0]
    assert np.abs(np.cumsum(seen.counts) - np.cumsum(expected)).max() <= 2, "only float32 rounding at an edge"


def test_quantiles_are_numpy_s() -> None:
    values = np.random.default_rng(1).normal(0, 3, 30000).astype(np.float32)
    seen = Histogram()
    for part in np.split(values, 10):
        seen.update(part)
    width = float(seen.edges[1] - seen.edges[0])
    for share in (0.0001, 0.01, 0.5, 0.9, 0.9999):
        below, above = (float(np.quantile(values, np.clip(share + side, 0, 1))) for side in (-1e-4, 1e-4))
        assert below - width <= seen.quantile(share) <= above + width


def test_percentile_cuts_the_outlier() -> None:
    observer = Percentile()
    values = np.random.default_rng(2).uniform(-1, 1, 30000).astype(np.float32)
    values[0] = 1000
    observer.update(values)
    low, high = observer.range()
    assert low == pytest.approx(-1, abs=0.6)
    assert high < 3


def test_error_is_the_best_range_of_a_normal() -> None:
    """8-bit rounding of a normal distribution: the best range ends near 3.9 sigma on each side."""
    observer = Error()
    generator = np.random.default_rng(3)
    for _ in range(20):
        observer.update(generator.normal(0, 1, 30000).astype(np.float32))
    low, high = observer.range()
    assert 3.4 < high < 4.4
    assert -4.4 < low < -3.4


def test_moving_average() -> None:
    """A tenth of the way from -10 to -30 and from 10 to 20; then a tenth from -12 to -2 and from 11 to 1."""
    observer = MovingAverage()
    assert observer.range() == (0.0, 0.0)
    for values, expected in (([-10, 10], (-10, 10)), ([-30, 20], (-12, 11)), ([-2, 1], (-11, 10))):
        observer.update(np.array(values, np.float32))
        assert observer.range() == pytest.approx(expected)


def test_percentiles_of_evenly_spread_values() -> None:
    """Half of 0.01 % of a span of 2 is 0.0001 at each end."""
    observer = Percentile()
    for _ in range(20):
        observer.update(np.linspace(-1, 1, 10001, dtype=np.float32))
    low, high = observer.range()
    assert low == pytest.approx(-0.9999, abs=2e-5)
    assert high == 1.0, "within what was seen"


def test_the_squared_error_by_hand() -> None:
    """Within [-1, 2] a twelfth of the squared step of 3/255; outside the squared distance."""
    seen = SimpleNamespace(centers=np.array([-3.0, 0, 1, 2.5, 5]), counts=np.array([1, 2, 3, 2, 4]))
    inside = 5 * (3 / 255) ** 2 / 12
    assert _squared_error(seen, -1.0, 2.0) == pytest.approx((4 + 0.5 + 36 + inside) / 12, rel=1e-12)
    one = SimpleNamespace(centers=np.array([4.0]), counts=np.array([1]))
    assert _squared_error(one, 0.0, 2.0) == 4.0
    assert _squared_error(SimpleNamespace(centers=np.array([4.0]), counts=np.array([0])), 0.0, 2.0) == 0.0


def test_the_search_goes_down_to_three_tenths_in_steps_of_two_hundredths() -> None:
    """First the upper end is found, then the lower one for it."""
    seen = SimpleNamespace(low=-10.0, high=0.5)
    found = _search(seen, lambda low, high: abs(high - 0.5 * 0.86) + abs(low - -10 * 0.58))
    assert found == pytest.approx((-5.8, 0.43))
    assert _search(seen, lambda low, high: high - low) == pytest.approx((-3.0, 0.15))
    assert _search(seen, lambda low, high: low - high) == (-10.0, 0.5)
    assert _search(SimpleNamespace(low=2.0, high=4.0), lambda low, high: -low) == (0.0, 4.0)


def kl(p: list[float], q: list[float]) -> float:
    """Kullback-Leibler of two distributions that were worked out by hand."""
    a, b = np.array(p) / sum(p), np.array(q) / sum(q)
    return float(sum(x * math.log(x / y) for x, y in zip(a, b, strict=True) if x > 0))


@pytest.mark.parametrize(
    ("counts", "low", "high", "levels", "expected"),
    [
        # Four bins into two steps: flat within a step.
        ([1, 3, 2, 2], 0.0, 4.0, 2, kl([1, 3, 2, 2], [2, 2, 2, 2])),
        ([1, 3, 2, 2], 0.0, 4.0, 4, 0.0),
        # A range that ends in the middle of its bins has them; the upper end belongs to the last step.
        ([1, 3, 2, 6], 0.5, 3.5, 2, kl([1, 3, 2, 6], [2, 2, 4, 4])),
        # What is empty stays empty: 4 stands alone in its step.
        ([0, 4, 2, 2], 0.0, 4.0, 2, 0.0),
        # What lies outside is counted at the ends of the reference, and missing in the rounded one.
        ([4, 1, 3, 2, 6, 5], 1.0, 5.0, 2, kl([4 + 1, 3, 2, 6 + 5], [2, 2, 4, 4])),
        # Cut off into a bin that was empty: there is nothing left of it.
        ([4, 0, 3, 1], 1.0, 4.0, 3, kl([4, 3, 1], [4e-12, 3, 1])),
        ([1], 0.0, 1.0, 1, 0.0),
        # No range, and a range of nothing.
        ([1, 3], 10.0, 11.0, 2, math.inf),
        ([1, 3], 0.5, 0.5, 2, math.inf),
    ],
)
def test_divergence_by_hand(counts: list[int], low: float, high: float, levels: int, expected: float) -> None:
    centers = np.arange(len(counts)) + 0.5
    assert divergence(np.array(counts), centers, low, high, levels) == pytest.approx(expected, abs=1e-11)


def test_entropy_keeps_the_bulk() -> None:
    observer = Entropy()
    values = np.abs(np.random.default_rng(5).normal(0, 1, 30000)).astype(np.float32)
    values[:3] = 40
    observer.update(values)
    low, high = observer.range()
    assert low == 0
    assert 2.5 < high <= 40


@pytest.mark.parametrize("name", OBSERVERS)
def test_every_observer_is_finite_constant_and_refuses_nan(name: str) -> None:
    observer = OBSERVERS[name]()
    observer.update(np.zeros(100, np.float32))
    assert observer.range() == (0.0, 0.0)
    observer.update(np.linspace(-3, 6, 1000, dtype=np.float32))
    low, high = observer.range()
    assert -3 <= low <= 0 < high <= 6
    for values in ([np.nan], [1.0, np.inf], [-np.inf, 1.0]):
        with pytest.raises(DataError, match="NaN"):
            observer.update(np.array(values, np.float32))


def summary(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Extremes and means of the channels of [1, channels, rows, columns]."""
    return tuple(measure(values, axis=(0, 2, 3)) for measure in (np.min, np.max, np.mean))


class TestChannels:
    def test_extremes_are_those_of_all_images(self) -> None:
        images = np.random.default_rng(0).normal(size=(30, 3, 12, 12)).astype(np.float32)
        seen = ChannelStatistics("t", 3)
        for image in images:
            seen.update(*summary(image[None]))
        assert np.array_equal(seen.low, images.min(axis=(0, 2, 3)))
        assert np.array_equal(seen.high, images.max(axis=(0, 2, 3)))

    def test_nan_names_the_tensor(self) -> None:
        with pytest.raises(DataError, match="at block3"):
            ChannelStatistics("block3", 1).update(*summary(np.full((1, 1, 2, 2), np.nan, np.float32)))

    def test_scaling_and_taking_follow(self) -> None:
        seen = ChannelStatistics("t", 2)
        seen.update(*summary(np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]], np.float32)))
        seen.scale(np.array([2.0, 0.5]))
        assert seen.high.tolist() == [4.0, 2.0]
        seen.take(np.array([1, 1]))
        assert seen.high.tolist() == [2.0, 2.0]
