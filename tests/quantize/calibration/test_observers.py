"""Streaming histograms and observers against numpy on the whole data."""

from __future__ import annotations

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
    divergence,
)


@given(
    st.integers(0, 10**6), st.sampled_from(["normal", "relu", "negative", "shifted"]), st.floats(1e-3, 1e3)
)
@settings(deadline=None, max_examples=60)
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
    observer = MovingAverage()
    observer.update(np.array([0.0, 10.0], np.float32))
    observer.update(np.array([0.0, 20.0], np.float32))
    assert observer.range() == pytest.approx((0.0, 11.0))


def test_divergence_of_a_known_case() -> None:
    """Four bins into two steps: P = (1, 3, 2, 2) / 8, Q flat within a step = (2, 2, 2, 2) / 8."""
    counts, centers = np.array([1, 3, 2, 2]), np.array([0.5, 1.5, 2.5, 3.5])
    p, q = np.array([1, 3, 2, 2]) / 8, np.full(4, 0.25)
    assert divergence(counts, centers, 0.0, 4.0, levels=2) == pytest.approx(float((p * np.log(p / q)).sum()))
    assert divergence(counts, centers, 0.0, 4.0, levels=4) == pytest.approx(0.0)
    assert divergence(counts, centers, 0.0, 3.0, levels=4) > 0.01, "what is clipped costs"


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
    with pytest.raises(DataError, match="NaN"):
        observer.update(np.array([np.nan], np.float32))


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
