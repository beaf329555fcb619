"""The few statistics that a comparison needs, with their sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Paired",
    "at_least",
    "interval95",
    "mcnemar",
    "mean_half_width",
    "mean_interval",
    "median_interval",
    "median_ratio",
    "paired",
    "paired_bootstrap",
    "paired_interval",
    "roc_area",
    "smallest_claim",
    "student95",
    "wilson",
]

Z95 = 1.959963984540054
# Batches of a run for the interval of its median, and the fewest samples of one.
BATCHES, LEAST = 24, 5
# Of float64 [n]: the mean, or the median.
Middle = Callable[[NDArray[np.float64]], np.floating]


def wilson(successes: int, total: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a proportion (Wilson 1927); 95 % by default.

    Args:
        successes: 0 … total.
        total: At least 1.
        z: Normal quantile.
    """
    share, square = successes / total, z * z
    center = (share + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, center - half), min(1.0, center + half)


def at_least(successes: int, total: int, confidence: float = 0.95) -> float:
    """Lower end of the exact two-sided interval of a proportion (Clopper and Pearson, Biometrika 26, 1934).

    For few trials, where approximations promise too much: four of four are at least 0.40.

    Args:
        successes: 0 … total.
        total: At least 1.
        confidence: Of the two-sided interval.
    """
    if successes == 0:
        return 0.0
    low, high, tail = 0.0, successes / total, (1.0 - confidence) / 2
    for _ in range(60):
        share = (low + high) / 2
        if _upper_tail(successes, total, share) < tail:
            low = share
        else:
            high = share
    return low


def _upper_tail(least: int, total: int, share: float) -> float:
    """The chance of at least so many successes."""
    logs = (
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        + k * math.log(share) + (total - k) * math.log1p(-share)
        for k in range(least, total + 1)
    )  # fmt: skip
    return sum(math.exp(value) for value in logs)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact McNemar test: the p-value that paired answers differ by chance alone.

    Args:
        only_first: Images that only the first model gets right.
        only_second: Images that only the second model gets right.
    """
    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    log_half = discordant * math.log(2)
    tail = sum(
        math.exp(
            math.lgamma(discordant + 1) - math.lgamma(k + 1) - math.lgamma(discordant - k + 1) - log_half
        )
        for k in range(min(only_first, only_second) + 1)
    )
    return min(1.0, 2 * tail)


def paired_interval(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """95 % interval of the difference of two paired proportions, second minus first.

    Newcombe's method 10 (Statistics in Medicine 17, 1998, 2635-2650): Wilson limits of both, combined with
    the correlation of the pairs. A share, not percent.
    """
    total = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    p1, p2 = first / total, second / total
    (low1, high1), (low2, high2) = wilson(first, total), wilson(second, total)
    correlation = _phi(both, only_first, only_second, neither)
    down = (p2 - low2) ** 2 - 2 * correlation * (p2 - low2) * (high1 - p1) + (high1 - p1) ** 2
    up = (high2 - p2) ** 2 - 2 * correlation * (high2 - p2) * (p1 - low1) + (p1 - low1) ** 2
    return p2 - p1 - math.sqrt(max(down, 0.0)), p2 - p1 + math.sqrt(max(up, 0.0))


def _phi(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Correlation of the pairs, continuity-corrected as Newcombe does when it is positive."""
    total = both + only_first + only_second + neither
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if product == 0:
        return 0.0
    determinant = both * neither - only_first * only_second
    if determinant > 0:
        determinant = max(determinant - total / 2, 0)  # type: ignore[assignment]
    return determinant / math.sqrt(product)


class Paired(NamedTuple):
    """Two models on the same images.

    Attributes:
        first, second: Share of right answers of each.
        delta_pp: First minus second, in percentage points.
        interval_pp: Its 95 % interval (Newcombe).
        mcnemar_p: Chance of so unequal a split.
    """

    first: float
    second: float
    delta_pp: float
    interval_pp: tuple[float, float]
    mcnemar_p: float


def paired(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Compare the right answers of two models, [images] each."""
    both, lost = int((first & second).sum()), int((second & ~first).sum())
    won, neither = int((first & ~second).sum()), int((~first & ~second).sum())
    low, high = paired_interval(both, lost, won, neither)
    return Paired(
        first=float(first.mean()),
        second=float(second.mean()),
        delta_pp=100.0 * (won - lost) / len(first),
        interval_pp=(100.0 * low, 100.0 * high),
        mcnemar_p=mcnemar(lost, won),
    )


def paired_bootstrap(
    figure: Callable[[NDArray[np.int64]], float], count: int, rounds: int = 1000
) -> tuple[float, float]:
    """95 % interval of a figure of paired samples: the percentile bootstrap, seeded.

    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.

    Args:
        figure: Of the samples with these indices, some of them more than once.
        count: Number of samples.
        rounds: How often to draw.
    """
    chance = np.random.default_rng(0)
    drawn = [figure(chance.integers(0, count, count)) for _ in range(rounds)]
    return interval95(drawn)


def interval95(drawn: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of what was drawn."""
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def roc_area(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, a tie counting half.

    The Mann-Whitney statistic over the number of pairs (Hanley and McNeil, Radiology 143, 1982).

    Args:
        positive: Scores that should be high, at least one.
        negative: Scores that should be low, at least one.
    """
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left").sum(dtype=np.float64)
    not_above = np.searchsorted(ordered, positive, "right").sum(dtype=np.float64)
    return float((below + not_above) / 2 / len(positive) / len(negative))


def smallest_claim(images: int, changed: int) -> float:
    """The smallest difference of top-1 that so many images could tell from none, in percentage points.

    A difference comes from changed answers only: its variance is at most their share over the number of
    images (all of them from right to wrong or back), so its 95 % interval is at most so wide to each side.
    No labels are needed.

    Args:
        images: How many were judged.
        changed: How many of them got another answer; none counts as one.
    """
    return 100.0 * Z95 * math.sqrt(max(changed, 1)) / images


def student95(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, from 4 degrees of freedom on within 0.3 %.

    The expansion around the normal quantile of Abramowitz and Stegun, 26.7.5.
    """
    z = Z95
    return z + sum(
        (
            (z**3 + z) / (4 * freedom),
            (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2),
            (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3),
            (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * freedom**4),
        )
    )


def mean_half_width(values: NDArray[np.float64]) -> float:
    """Half of the 95 % interval of a mean, by Student's t.

    Args:
        values: float64 [n], independent; at least two.
    """
    return student95(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))


def _of_batches(samples: NDArray[np.float64], middle: Middle) -> NDArray[np.float64] | None:
    """The middle of each of up to 24 consecutive batches; ``None`` below 5 batches of 5."""
    batches = min(BATCHES, len(samples) // LEAST)
    if batches < LEAST:
        return None
    return np.asarray([middle(part) for part in np.array_split(samples, batches)])


def _interval(samples: NDArray[np.float64], middle: Middle) -> tuple[float, float] | None:
    """95 % interval of the middle of all samples, by those of their batches."""
    middles = _of_batches(samples, middle)
    if middles is None:
        return None
    half, whole = mean_half_width(middles), float(middle(samples))
    return whole - half, whole + half


def median_interval(samples: NDArray[np.float64]) -> tuple[float, float] | None:
    """95 % interval of the median of one run's latencies, in the order they were taken.

    Neighboring latencies resemble each other, so the usual interval of independent samples is far too
    narrow; medians of consecutive batches hardly do (Seila, Management Science 28, 1982).

    Args:
        samples: float64 [n].

    Returns:
        (low, high) around the median, or ``None`` below 25 samples.
    """
    return _interval(samples, np.median)


def mean_interval(samples: NDArray[np.float64]) -> tuple[float, float] | None:
    """95 % interval of the mean of one run's latencies, in the order they were taken.

    As :func:`median_interval`, by the means of the batches (Law and Carson, Operations Research 27, 1979).

    Args:
        samples: float64 [n].

    Returns:
        (low, high) around the mean, or ``None`` below 25 samples.
    """
    return _interval(samples, np.mean)


def median_ratio(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, tuple[float, float] | None]:
    """Median of ``b`` over that of ``a``, with the 95 % interval of the ratio.

    The difference of the logarithms of both runs' batch medians, after Welch (Biometrika 34, 1947).
    """
    ratio = float(np.median(b) / np.median(a))
    first, second = _of_batches(a, np.median), _of_batches(b, np.median)
    if first is None or second is None:
        return ratio, None
    parts = [float(np.log(item).var(ddof=1)) / len(item) for item in (first, second)]
    error = sum(parts)
    weights = [part**2 / (len(item) - 1) for part, item in zip(parts, (first, second), strict=True)]
    freedom = error**2 / sum(weights) if sum(weights) > 0 else math.inf
    half = student95(freedom) * math.sqrt(error)
    return ratio, (ratio * math.exp(-half), ratio * math.exp(half))
