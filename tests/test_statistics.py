"""Statistics held to published worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal, stats

from edgenet.statistics import (
    at_least,
    mcnemar,
    mean_interval,
    median_interval,
    median_ratio,
    paired,
    paired_interval,
    roc_area,
    smallest_claim,
    student95,
    wilson,
)


@pytest.mark.parametrize(
    ("z", "freedom", "expected"),
    [
        # Abramowitz and Stegun 26.7.5 at z = 1: 1/2, 1/4, 1/16 and -528/92160 over the powers of the freedom.
        (1.0, 1, 1 + 1 / 2 + 1 / 4 + 1 / 16 - 528 / 92160),
        (1.0, 2, 1 + 1 / 4 + 1 / 16 + 1 / 128 - 33 / 92160),
        # At z = 2: 10/4, 294/96, 1098/384 and 169950/92160.
        (2.0, 1, 2 + 10 / 4 + 294 / 96 + 1098 / 384 + 169950 / 92160),
        # At z = 3: 30/4, 1656/96, 11592/384 and 3557520/92160.
        (3.0, 2, 3 + 30 / 8 + 1656 / 384 + 11592 / 3072 + 3557520 / 1474560),
    ],
)
def test_students_expansion_by_hand(
    z: float, freedom: int, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenet.statistics.Z95", z)
    assert student95(freedom) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("freedom", [20, 40, 120])
def test_student_is_the_tables(freedom: int) -> None:
    """Any table of Student's t, two-sided 5 %: 2.086, 2.021, 1.980."""
    table = {20: 2.086, 40: 2.021, 120: 1.980}
    assert student95(freedom) == pytest.approx(table[freedom], abs=0.0005)


def test_a_paired_interval_from_its_parts() -> None:
    """Newcombe's method 10 with Wilson's limits from scipy and the correlation from the pairs themselves."""
    for both, first, second, neither in ((10, 20, 30, 5), (40, 12, 5, 33), (1, 1, 7, 12), (3, 9, 9, 3)):
        pairs = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0).T
        total = pairs.shape[1]
        (p1, p2), limits = pairs.mean(axis=1), []
        for part in pairs.sum(axis=1):
            limits.append(stats.binomtest(int(part), total).proportion_ci(method="wilson"))
        phi = float(np.corrcoef(pairs)[0, 1])
        if phi > 0:  # his correction for continuity: n / 2 less in ad - bc, and not below nothing
            phi = max(phi - 1 / (2 * total * float(np.prod(pairs.std(axis=1)))), 0.0)
        down, up_first = p2 - limits[1].low, limits[0].high - p1
        up, down_first = limits[1].high - p2, p1 - limits[0].low
        low = p2 - p1 - math.sqrt(down**2 + up_first**2 - 2 * phi * down * up_first)
        high = p2 - p1 + math.sqrt(up**2 + down_first**2 - 2 * phi * up * down_first)
        assert paired_interval(both, first, second, neither) == pytest.approx((low, high), abs=1e-9)


def test_a_paired_interval_where_there_is_no_correlation_to_speak_of() -> None:
    """Wilson's limits of 0, 5 of 10 and 1 of 2 are 0 to 0.2775, 0.2366 to 0.7634 and 0.0945 to 0.9055."""
    half = math.hypot(0.5 - 0.23659, 0.27753)
    assert paired_interval(0, 0, 5, 5) == pytest.approx((0.5 - half, 0.76341), abs=1e-4)
    half = math.hypot(0.40547, 0.40547)
    assert paired_interval(1, 0, 0, 1) == pytest.approx((-half, half), abs=1e-4)


def test_the_interval_of_a_median_by_hand() -> None:
    """Five batches with the medians 1 … 5: a deviation of sqrt(2.5), Student's t of 4 is 2.776."""
    half = 2.776 * math.sqrt(2.5 / 5)
    assert median_interval(np.repeat(np.arange(1.0, 6.0), 5)) == pytest.approx((3 - half, 3 + half), rel=2e-3)
    # 24 batches of 10 with the medians 0 … 23: a variance of 50, Student's t of 23 is 2.0687.
    half = 2.0687 * math.sqrt(50 / 24)
    many = median_interval(np.repeat(np.arange(24.0), 10))
    assert many == pytest.approx((11.5 - half, 11.5 + half), rel=1e-4)


def test_the_interval_of_a_ratio_by_hand() -> None:
    """Welch's: variances of the logarithms 0.025 / 5 and 0.075 / 9, with 11.907 degrees of freedom."""
    a, b = np.exp(np.repeat(np.arange(5) / 10, 5)), np.exp(1 + np.repeat(np.arange(9) / 10, 5))
    ratio, interval = median_ratio(a, b)
    half = 2.1807 * math.sqrt(0.025 / 5 + 0.075 / 9)
    assert ratio == pytest.approx(math.exp(1.2))
    assert interval == pytest.approx((math.exp(1.2 - half), math.exp(1.2 + half)), rel=1e-4)


def test_runs_that_do_not_vary_have_an_interval_of_no_width() -> None:
    assert median_ratio(np.ones(25), 2 * np.ones(25)) == (2.0, (2.0, 2.0))


def test_two_models_on_ten_images_by_hand() -> None:
    """Both are right on 3, the first alone on 4, the second alone on 1, neither on 2."""
    first = np.array([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], bool)
    second = np.array([1, 1, 1, 0, 0, 0, 0, 1, 0, 0], bool)
    found = paired(first, second)
    assert (found.first, found.second) == (0.7, 0.4)
    assert found.delta_pp == pytest.approx(30.0)
    # 1 against 4 of 5: 2 * (1 + 5) / 32.
    assert found.mcnemar_p == pytest.approx(0.375)
    low, high = paired_interval(3, 1, 4, 2)
    assert found.interval_pp == pytest.approx((100 * low, 100 * high))
    assert found.interval_pp[0] < 30 < found.interval_pp[1]


def test_the_area_under_a_curve_by_hand() -> None:
    """Of 2 * 3 pairs 3 is above all, 1 above one and beside one: 3 + 1.5 of 6."""
    assert roc_area(np.array([3.0, 1.0]), np.array([0.0, 1.0, 2.0])) == 0.75


def test_the_smallest_claim_by_hand() -> None:
    """20 of 1000 changed: 1.96 times sqrt(20) images."""
    assert smallest_claim(1000, 20) == pytest.approx(0.876523, abs=1e-5)
    assert smallest_claim(500, 1) == smallest_claim(500, 0) == pytest.approx(0.391993, abs=1e-5)


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
    wander = signal.lfilter([1.0], [1.0, -0.8], generator.normal(0, 0.01, runs))
    return np.asarray(median * (1 + wander) + generator.gamma(2, 0.002, runs))


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


def test_the_interval_of_a_mean_is_that_of_the_means_of_its_batches() -> None:
    """Student's, by scipy, of 24 batches of 10; neighbors that resemble each other make it wider."""
    samples = np.random.default_rng(5).gamma(2.0, 3.0, 240)
    means = samples.reshape(24, 10).mean(axis=1)
    expected = stats.t.interval(0.95, 23, samples.mean(), stats.sem(means))
    assert mean_interval(samples) == pytest.approx(expected, rel=1e-3)
    low, high = mean_interval(np.sort(samples)) or (0.0, 0.0)
    assert high - low > 2 * (expected[1] - expected[0])
    assert mean_interval(samples[:24]) is None
