"""How often each latency occurred, up to the 99th percentile, with the percentiles as lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.views.axes import round_marks
from edgenet.views.draw import Drawing

__all__ = ["histogram"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 460, 270, 60, 12, 44, 44
BINS = 40
PERCENTILES = (50, 90, 99)
LETTER, ROW = 6.6, 13


def histogram(samples_ms: NDArray[np.float64], what: str) -> str:
    """The drawing; samples above the 99th percentile are counted in words only.

    Args:
        samples_ms: float64 [n], at least one.
        what: Of what, for the description.
    """
    marks = [float(value) for value in np.percentile(samples_ms, PERCENTILES)]
    low, high = float(samples_ms.min()), marks[-1]
    high = high if high > low else low * 1.01 + 1e-9
    within = samples_ms[samples_ms <= high]
    counts, edges = np.histogram(within, BINS, (low, high))
    told = ", ".join(f"p{name} {value:.3g}" for name, value in zip(PERCENTILES, marks, strict=True))
    says = f"Histogram of {what}: {told} ms, {len(samples_ms)} runs"
    drawing = Drawing("plot", WIDTH, HEIGHT, says)
    _across(drawing, low, high)
    _up(drawing, int(counts.max()))
    for count, begin, end in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        _bar(drawing, count, int(counts.max()), (_x(begin, low, high), _x(end, low, high)), (begin, end))
    for row, (name, value) in enumerate(zip(PERCENTILES, marks, strict=True)):
        _percentile(drawing, row, f"p{name} {value:.3g}", _x(value, low, high))
    return str(drawing)


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _across(drawing: Drawing, low: float, high: float) -> None:
    for mark in round_marks(low, high):
        if low <= mark <= high:
            drawing.text((_x(mark, low, high), HEIGHT - BOTTOM + 17), f"{mark:g}", "middle")
    drawing.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6), "ms", "middle")


def _up(drawing: Drawing, most: int) -> None:
    for mark in round_marks(0.0, float(most)):
        y = HEIGHT - BOTTOM - mark / most * (HEIGHT - TOP - BOTTOM)
        if mark <= most and mark == round(mark):
            drawing.line("grid", (LEFT, y), (WIDTH - RIGHT, y))
            drawing.text((LEFT - 7, y + 4), f"{mark:g}", "end")
    turned = drawing.text((0, 0), "runs", "middle")
    turned.set("transform", f"translate(11 {(TOP + HEIGHT - BOTTOM) / 2:.1f}) rotate(-90)")


def _bar(
    drawing: Drawing, count: int, most: int, place: tuple[float, float], span_ms: tuple[float, float]
) -> None:
    if not count:
        return
    tall = count / most * (HEIGHT - TOP - BOTTOM)
    found = drawing.box("column", place[0], HEIGHT - BOTTOM - tall, place[1] - place[0] - 0.6, tall)
    drawing.title(found, f"{count} runs, {span_ms[0]:.3g} to {span_ms[1]:.3g} ms")


def _percentile(drawing: Drawing, row: int, words: str, x: float) -> None:
    """A line, its label on a row of its own above the bars, to the side where there is room."""
    y = TOP - 6 - ROW * (len(PERCENTILES) - 1 - row)
    drawing.line("mark-line", (x, y + 3), (x, HEIGHT - BOTTOM))
    fits = x + LETTER * len(words) < WIDTH
    drawing.text((x + 4 if fits else x - 4, y + 2), words, "start" if fits else "end", "name")
