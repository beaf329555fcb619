"""Which of a few like figures does not belong to the others, by a rule that knows how few they are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

__all__ = ["RULE", "outliers"]

# Dixon's ratio of the gap to the range, two-sided 95 % (Rorabacher, Analytical Chemistry 63, 1991).
DIXON = {3: 0.970, 4: 0.829}
# The median absolute deviation as a standard deviation of normal values, and how many of them are too far
# (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; 6 and not 3.5, for kinds are small).
SIGMA, TIMES = 1.4826, 6.0
RULE = (
    "Of one or two boards none is marked: nothing tells which of two is odd.",
    "Of three or four, one is marked that lies further out than all of the others together are apart: Dixon's"
    " ratio at 95 %, which marks one in 20 kinds of like boards by chance alone.",
    "Of five or more, those further from the median than 6 × 1.48 times the median absolute deviation: by"
    " chance one in 12 kinds of five boards, one in 55 of ten.",
    "And none that is nearer to its kind's median than the figure's own least difference.",
)


def outliers(values: Sequence[float], least: float) -> list[bool]:
    """Whether each value is an outlier among the others, as ``RULE`` says.

    Args:
        values: Of boards of one kind.
        least: A value so near to the median is none, in the values' unit.
    """
    middle = median(values) if values else 0.0
    odd = _by_ratio(values) if len(values) in DIXON else _by_deviation(values, middle)
    return [found and abs(value - middle) > least for found, value in zip(odd, values, strict=True)]


def _by_ratio(values: Sequence[float]) -> list[bool]:
    """The one at the end with the wider gap, where that gap is most of the range."""
    ordered = sorted(values)
    low, high = ordered[1] - ordered[0], ordered[-1] - ordered[-2]
    far = ordered[0] if low > high else ordered[-1]
    odd = max(low, high) > DIXON[len(values)] * (ordered[-1] - ordered[0])
    return [odd and value == far for value in values]


def _by_deviation(values: Sequence[float], middle: float) -> list[bool]:
    if len(values) < max(DIXON):
        return [False] * len(values)
    spread = SIGMA * median(abs(value - middle) for value in values)
    return [abs(value - middle) > TIMES * spread for value in values]
