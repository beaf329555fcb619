"""Round marks along the axes of a drawing."""

from __future__ import annotations

import math

__all__ = ["round_marks"]

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
