"""Statistics held to published worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edgenet.statistics import (
    at_least,
    mcnemar,
    median_interval,
    median_ratio,
    paired,
    paired_interval,
    smallest_claim,
    student95,
    wilson,
)


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


@pytest.mark.parametrize("freedom", [4, 5, 8, 23, 100, 1000])
def test_student_against_scipy(freedom: int) -> None:
    assert student95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.003)


@given(st.integers(1, 2000), st.data())
def test_wilson_and_mcnemar_against_scipy(total: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, total))
    theirs = stats.binomtest(part, total).proportion_ci(method="wilson")
    assert wilson(part, total) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert mcnemar(part, total - part) == pytest.approx(stats.binomtest(part, total).pvalue, rel=1e-6)


def series(seed: int, median: float, runs: int = 600) -> np.ndarray:
    """Latencies whose neighbors resemble each other, as those of a real run do."""
    generator = np.random.default_rng(seed)
    wander, values = 0.0, []
    for step in generator.normal(0, 0.01, runs):
        wander = 0.8 * wander + step
        values.append(median * (1 + wander) + generator.gamma(2, 0.002))
    return np.asarray(values)


def test_the_interval_of_a_median_holds_the_truth() -> None:
    """95 of 100 intervals of dependent samples must; the usual one for independent ones holds fewer."""
    truth = float(np.median(series(0, 5.0, 200_000)))
    ours, usual = 0, 0
    for seed in range(1, 201):
        samples = series(seed, 5.0)
        low, high = median_interval(samples) or (0.0, 0.0)
        ours += low <= truth <= high
        ordered = np.sort(samples)
        half = round(1.96 * math.sqrt(len(samples)) / 2)
        usual += ordered[len(samples) // 2 - half] <= truth <= ordered[len(samples) // 2 + half]
    assert ours >= 180
    assert usual < ours


def test_the_interval_of_a_ratio_against_scipys_bootstrap() -> None:
    """On independent samples both must agree; a ratio of 1.1 lies in it and 1 does not."""
    generator = np.random.default_rng(5)
    a, b = generator.normal(5.0, 0.2, 2400), generator.normal(5.5, 0.2, 2400)
    ratio, interval = median_ratio(a, b)
    assert interval is not None
    theirs = stats.bootstrap(
        (a, b), lambda x, y: np.median(y) / np.median(x), n_resamples=400, vectorized=False,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert interval[0] < 1.1 < interval[1]
    assert interval[0] > 1.0
    assert interval[1] - interval[0] == pytest.approx(theirs.high - theirs.low, rel=0.5)
    assert ratio == pytest.approx(1.1, rel=0.01)


def test_too_few_samples_have_no_interval() -> None:
    assert median_interval(np.ones(24)) is None
    assert median_ratio(np.ones(24), np.ones(400))[1] is None
    assert median_interval(np.ones(25)) == (1.0, 1.0)


def test_the_smallest_claim_is_wider_than_newcombes_interval() -> None:
    """It is the bound that holds without labels: no labelled interval of the same images exceeds it much."""
    low, high = paired_interval(600, 12, 8, 380)
    assert smallest_claim(1000, 20) >= 100 * (high - low) / 2 * 0.95
    assert smallest_claim(1000, 0) == pytest.approx(0.196, abs=0.001)
    assert smallest_claim(4000, 80) == pytest.approx(smallest_claim(1000, 20) / 2)


@pytest.mark.parametrize(
    ("successes", "total", "low"),
    [(4, 4, 0.3976), (10, 10, 0.6915), (9, 10, 0.5550), (0, 5, 0.0), (50, 100, 0.3983), (1, 20, 0.0013)],
)
def test_exact_interval_of_a_proportion(successes: int, total: int, low: float) -> None:
    """Clopper-Pearson limits as tables have them; of all successes it is 0.025 ** (1 / n)."""
    assert at_least(successes, total) == pytest.approx(low, abs=5e-5)


def test_paired_answers_by_hand() -> None:
    """Of eight images both know four, the first alone one, the second alone two."""
    first = np.array([1, 1, 1, 1, 1, 0, 0, 0], bool)
    second = np.array([1, 1, 1, 1, 0, 1, 1, 0], bool)
    found = paired(first, second)
    assert (found.first, found.second, found.delta_pp) == (5 / 8, 6 / 8, -12.5)
    assert found.mcnemar_p == 1.0
    assert found.interval_pp[0] < -12.5 < found.interval_pp[1]
    low, high = paired_interval(4, 2, 1, 1)
    assert found.interval_pp == pytest.approx((100 * low, 100 * high))
