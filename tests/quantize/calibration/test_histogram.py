"""The histogram's range, bins and counts, worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgenet.errors import DataError
from edgenet.quantize.calibration.histogram import Histogram


def seen(*parts: list[float]) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.update(np.asarray(part, np.float32))
    return histogram


@pytest.mark.parametrize(
    ("values", "width", "first"),
    [
        # The smallest power of two of which 2048 reach from the smallest to the largest, zero among them.
        ([0.0, 7.0], 2**-8, 0),
        ([0.0, 8.0], 2**-8, 0),
        ([0.0, 8.1], 2**-7, 0),
        ([0.5, 7.0], 2**-8, 0),
        ([5.0, 8.5], 2**-7, 0),
        ([-3.0, 4.0], 2**-8, -768),
        ([-3.001, 4.0], 2**-8, -770),
        ([-7.875, -5.0], 2**-8, -2016),
        ([0.0, 0.0], 2**-111, 0),
    ],
)
def test_the_range_begins_with_the_first_values(values: list[float], width: float, first: int) -> None:
    histogram = seen(values)
    assert histogram.edges.tolist() == [(first + number) * width for number in range(4097)]
    assert histogram.centers[:3].tolist() == [(first + number + 0.5) * width for number in range(3)]
    assert (len(histogram.centers), len(histogram.counts)) == (4096, 4096)


@pytest.mark.parametrize(
    ("parts", "width", "first"),
    [
        # Upwards only, while nothing was below zero.
        (([0.0, 7.0], [16.0]), 2**-7, 0),
        (([0.5, 7.0], [33.0]), 2**-6, 0),
        # Both ways: -770 / 2 and a quarter of 4096 below it, -1409; that is odd: -705 - 1024 = -1729.
        (([-3.001, 4.0], [20.0]), 2**-7, -1409),
        (([-3.001, 4.0], [20.0], [30.0]), 2**-6, -1729),
        # Downwards: -768 / 2 - 1024; and from zero.
        (([-3.0, 4.0], [-5.0]), 2**-7, -1408),
        (([0.0, 7.0], [-1.0]), 2**-7, -1024),
    ],
)
def test_it_grows_in_doublings_and_no_count_moves(
    parts: tuple[list[float], ...], width: float, first: int
) -> None:
    histogram = seen(*parts)
    assert histogram.edges[[0, 1, 4096]].tolist() == [
        first * width,
        (first + 1) * width,
        (first + 4096) * width,
    ]
    expected = np.zeros(4096, int)
    for value in itertools.chain(*parts):
        expected[int(np.floor(value / width)) - first] += 1
    assert np.array_equal(histogram.counts, expected)


def test_the_last_bin_ends_below_the_upper_edge() -> None:
    histogram = seen([0.0, 7.0], [15.998])
    assert histogram.edges[-1] == 16.0
    assert histogram.counts[-1] == 1


def test_of_a_large_tensor_every_second_value_is_counted_and_the_extremes_are_exact() -> None:
    values = np.zeros(1 << 16, np.float32)
    values[1::2] = 1.0
    values[3] = 5.0
    histogram = Histogram()
    histogram.update(values.reshape(1, 4, -1))
    assert histogram.counts.sum() == 1 << 15
    assert histogram.counts[0] == 1 << 15, "what has an odd place is passed over"
    assert histogram.high == 5.0
    histogram.update(np.zeros((1 << 15) + 1, np.float32))
    assert histogram.counts.sum() == (1 << 16) + 1


def test_quantiles_by_hand() -> None:
    """Within a bin the values are taken to lie evenly."""
    histogram = seen([1.0, 1.0, 1.0, 3.0])
    width = 2**-9
    assert histogram.quantile(0.375) == 1.0 + width / 2, "1.5 of the 3 in its bin"
    assert histogram.quantile(0.0) == 1.0
    assert histogram.quantile(0.9375) == 3.0, "within the seen"
    many = seen([0.0, 0.0, 0.0, 0.0, 3.0])
    assert many.quantile(0.25) == width * 1.25 / 4
    last = seen([0.0, 7.0], [15.998])
    assert last.quantile(1.0) == np.float32(15.998)


@pytest.mark.parametrize("values", [[1.0, np.inf], [-np.inf, 1.0], [np.nan, 1.0], [-np.inf, np.inf]])
def test_what_is_not_finite_is_refused(values: list[float]) -> None:
    with pytest.raises(DataError, match="NaN or infinity"):
        seen(values)
