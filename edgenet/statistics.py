"""The few statistics that a paired comparison needs, with their sources."""

from __future__ import annotations

import math

__all__ = ["mcnemar", "paired_interval", "wilson"]

Z95 = 1.959963984540054


def wilson(successes: int, total: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a proportion (Wilson 1927); 95 % by default.

    Args:
        successes: 0 … total.
        total: At least 1.
        z: Normal quantile.
    """
    share, square = successes / total, z * z
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    return max(0.0, centre - half), min(1.0, centre + half)


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
