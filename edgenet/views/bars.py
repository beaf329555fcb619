"""Horizontal bars with their values, the first one on top; names that are long stand above their bars."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.views.axes import round_marks
from edgenet.views.draw import Drawing

__all__ = ["bars"]

WIDTH, RIGHT, TOP, BOTTOM = 460, 78, 4, 42
# Heights of a row, of a bar and of a name above it; a letter at the size that a phone shows.
ROW, BAR, ABOVE, LETTER = 22, 15, 20, 7.2
# The most letters beside a bar, and above one.
BESIDE, MOST = 24, 60


def bars(labels: Sequence[str], values: Sequence[float], unit: str, says: str) -> str:
    """The drawing.

    Args:
        labels: One a bar.
        values: One a bar, none below 0.
        unit: Of the values.
        says: What it shows, for those who cannot see it.
    """
    longest = max(map(len, labels))
    beside = longest <= BESIDE
    left, row = (14 + LETTER * longest, ROW) if beside else (4.0, ROW + ABOVE)
    marks = [mark for mark in round_marks(0.0, max(values)) if mark >= 0.0]
    bottom, reach = TOP + row * len(labels), (WIDTH - RIGHT - left) / marks[-1]
    drawing = Drawing("plot", WIDTH, bottom + BOTTOM, says)
    for mark in marks:
        drawing.line("grid", (left + mark * reach, TOP), (left + mark * reach, bottom))
        drawing.text((left + mark * reach, bottom + 17), f"{mark:g}", "middle")
    drawing.text(((left + WIDTH - RIGHT) / 2, bottom + 36), unit, "middle")
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = TOP + row * (at + 1) - (ROW + BAR) / 2
        name = label if len(label) <= MOST else f"{label[: MOST - 1]}…"
        place = (left - 10, y + 12) if beside else (left, y - 5)
        drawing.text(place, name, "end" if beside else "start", "name")
        found = drawing.box("column", left, y, value * reach, BAR)
        drawing.title(found, f"{label} {value:.4g} {unit}")
        drawing.text((left + value * reach + 6, y + 12), f"{value:.4g}")
    return str(drawing)
