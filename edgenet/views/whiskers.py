"""Values with their 95 % intervals on one of a few fixed scales, so that drawings of reports compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.views.draw import Drawing

__all__ = ["Whisker", "scale_of", "whiskers"]

# Percent or percentage points.
SCALES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 460, 96, 152, 8, 30, 44
CAP = 5.0
# A letter of the words at the right, at the size that a phone shows.
LETTER = 7.2


@dataclass(frozen=True)
class Whisker:
    """One row: what, its value, its 95 % interval where there is one, and the value in words."""

    label: str
    value: float
    interval: tuple[float, float] | None
    words: str


def scale_of(rows: Sequence[Whisker]) -> float:
    """How far the scale of these rows reaches from zero: it holds all values, and the last row's interval.

    A stage that was seen on few images has an interval that would leave the others no room; its ends lie
    outside then.
    """
    ends = rows[-1].interval or ()
    far = max(abs(end) for end in (*(row.value for row in rows), *ends))
    return next((scale for scale in SCALES if far <= scale), SCALES[-1])


def whiskers(rows: Sequence[Whisker], unit: str, says: str, both_ways: bool) -> str:
    """The drawing.

    Args:
        rows: From above.
        unit: Of the values.
        says: What it shows, for those who cannot see it.
        both_ways: Whether the scale reaches below zero.
    """
    scale, bottom = scale_of(rows), TOP + ROW * len(rows)
    end_x = WIDTH - max(RIGHT, 14 + LETTER * max(len(row.words) for row in rows))
    low = -scale if both_ways else 0.0
    drawing = Drawing("plot", WIDTH, bottom + BOTTOM, says)

    def x(value: float) -> float:
        part = (min(max(value, low), scale) - low) / (scale - low)
        return LEFT + part * (end_x - LEFT)

    for mark in dict.fromkeys((low, (low + scale) / 2, scale)):
        drawing.line("zero" if mark == 0 else "grid", (x(mark), TOP), (x(mark), bottom))
        drawing.text((x(mark), bottom + 17), f"{mark:g}", "middle")
    drawing.text(((x(low) + x(scale)) / 2, bottom + 36), unit, "middle")
    for at, row in enumerate(rows):
        y = TOP + ROW * (at + 0.5)
        drawing.text((LEFT - 10, y + 4), row.label, "end")
        kind = _kind(row) if both_ways else ""
        if row.interval:
            drawing.line(f"whisker {kind}", (x(row.interval[0]), y), (x(row.interval[1]), y))
            for end in row.interval:
                if low <= end <= scale:
                    drawing.line(f"whisker {kind}", (x(end), y - CAP), (x(end), y + CAP))
        drawing.title(drawing.circle(f"dot {kind}", (x(row.value), y), 5.0), row.words)
        drawing.text((end_x + 10, y + 4), row.words, "start", "name")
    return str(drawing)


def _kind(row: Whisker) -> str:
    """Lost or won beyond doubt, or neither."""
    low, high = row.interval or (0.0, 0.0)
    return "lost" if high < 0 else "won" if low > 0 else ""
