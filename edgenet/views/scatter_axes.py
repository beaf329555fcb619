"""Where the points of a drawing stand: what its axes span, and the places along them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.views.axes import round_marks

__all__ = ["BOTTOM", "HEIGHT", "LEFT", "RIGHT", "TOP", "WIDTH", "Axes", "Mark", "Span"]

WIDTH = 480
HEIGHT = 380
LEFT = 60
RIGHT = 20
TOP = 22
BOTTOM = 44
# Axes that span more are logarithmic; no measured speed is below, and no more decades than these are drawn.
DECADE, SLOWEST, MOST_DECADES = 10.0, 1e-3, 9
FURTHER = 1.5

Span = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """One point.

    Attributes:
        x, y: Where.
        x_span, y_span: Its 95 % interval in each direction.
        color: Number of its color.
        shape: One of ``SHAPES``, or another.
        filled: Whether it is, or hollow.
        title: What a browser shows under the pointer.
        link: Where a click leads.
        label: Written beside it where there is room.
        ringed: Whether it is the one.
        front: Whether none is better in both directions.
    """

    x: float
    y: float
    x_span: Span | None
    y_span: Span | None
    color: int
    shape: str
    filled: bool
    title: str
    link: str
    label: str = ""
    ringed: bool = False
    front: bool = False


@dataclass(frozen=True)
class Axes:
    """What the axes span, so that several drawings can be compared.

    Attributes:
        x, y: From, to.
        logarithmic: Whether x is.
        x_marks, y_marks: The numbers along them.
    """

    x: Span
    y: Span
    logarithmic: bool
    x_marks: Sequence[float]
    y_marks: Sequence[float]

    @classmethod
    def around(cls, marks: Sequence[Mark], line: float) -> Axes:
        """Axes that show all points and the line with a little room around them."""
        xs = [max(x, SLOWEST) for x in (line, *(mark.x for mark in marks))]
        # An interval is shown whole, but for one without end.
        ends = (mark.x_span[1] for mark in marks if mark.x_span)
        xs.append(min(max([max(xs), *ends]), FURTHER * max(xs)))
        ys = [y for mark in marks for y in (mark.y, *(mark.y_span or ()))] or [0.0, 1.0]
        y_marks = round_marks(min(ys), max(ys))
        low, high = min(xs), max(xs)
        if high / low <= DECADE:
            x_marks = round_marks(0.0, high)
            return cls((0.0, x_marks[-1]), (y_marks[0], y_marks[-1]), False, x_marks, y_marks)
        low, high = max(low / 1.25, high / 10.0**MOST_DECADES), high * 1.25
        return cls((low, high), (y_marks[0], y_marks[-1]), True, _decades(low, high), y_marks)

    def across(self, x: float) -> float:
        """The place of an x in the drawing; outside of the axis its end."""
        low, high = self.x
        x = min(max(x, low), high)
        part = math.log(x / low) / math.log(high / low) if self.logarithmic else (x - low) / (high - low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def up(self, y: float) -> float:
        """The place of a y in the drawing; outside of the axis its end."""
        low, high = self.y
        return HEIGHT - BOTTOM - (min(max(y, low), high) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _decades(low: float, high: float) -> list[float]:
    """1, 2, 5, 10 … within low … high; of many decades only their begins."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 5 else (1,)
    return [mark for power in powers for factor in factors if low <= (mark := factor * 10.0**power) <= high]
