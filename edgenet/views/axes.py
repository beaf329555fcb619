"""Round marks along the axes of a drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["decades", "round_marks"]

# The marks of an axis are no closer: below it their decimals are cut.
FINEST = 1e-11


def round_marks(low: float, high: float) -> list[float]:
    """About five round numbers at equal distances that cover low … high; two at least."""
    step = _round_step(max((high - low) / 5 or abs(high) / 5 or 1.0, FINEST))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= step * 0.999)


def decades(values: Sequence[float]) -> list[float]:
    """1, 2, 5, 10 … around the values."""
    marks = [factor * 10.0**power for power in range(-2, 6) for factor in (1, 2, 5)]
    low = max((mark for mark in marks if mark <= min(values)), default=marks[0])
    high = min((mark for mark in marks if mark >= max(values)), default=marks[-1])
    return [mark for mark in marks if low <= mark <= high]
