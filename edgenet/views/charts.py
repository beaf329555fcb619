"""The charts of a report, each drawn by pygal from plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.views.axes import decades, round_marks
from edgenet.views.svg import OPTIONS, Numbering, inline, pygal

__all__ = ["Charts", "Point"]

BINS = 40
# Slices of a run in the time series; each is one point a line.
SLICES = 120
ROW = 21

# (x, y, label): one build in the Pareto plot.
Point = tuple[float, float, str]


# The longest label beside the bars of a narrow drawing, letters; and the width of one for longer labels.
LABEL, WIDE = 32, 940


def wide(labels: Sequence[str]) -> bool:
    """Whether bars with such labels need the whole row."""
    return any(len(label) > LABEL for label in labels)


class Charts:
    """Draws the charts of one page; every method gives an SVG element."""

    def __init__(self) -> None:
        self._numbering = Numbering()

    def _draw(self, chart: Any, says: str) -> str:
        return inline(chart, says, self._numbering.next())

    def histogram(self, samples_ms: NDArray[np.float64], what: str) -> str:
        """How often each latency occurred; the slowest hundredth is one bar at the right edge.

        Args:
            samples_ms: float64 [n].
            what: Of what, for the description.
        """
        low, high = float(samples_ms.min()), float(np.percentile(samples_ms, 99))
        high = high if high > low else low * 1.01 + 1e-9
        counts, edges = np.histogram(np.minimum(samples_ms, high), BINS, (low, high))
        chart = pygal.Histogram(**OPTIONS, x_title="ms", y_title="runs", **_axis(low, high))
        bars = [(int(n), float(a), float(b)) for n, a, b in zip(counts, edges[:-1], edges[1:], strict=True)]
        chart.add("runs", bars, formatter=lambda bar: f"{bar[0]} runs, {bar[1]:.3g} to {bar[2]:.3g} ms")
        return self._draw(chart, f"Histogram of {what}, {low:.3g} to {high:.3g} ms, {len(samples_ms)} runs")

    def series(self, samples_ms: NDArray[np.float64], what: str) -> str:
        """Median (thick) and 99th percentile (thin) in slices of the run, over its seconds."""
        seconds = np.cumsum(samples_ms) / 1e3
        slices = np.array_split(np.arange(len(samples_ms)), min(SLICES, max(len(samples_ms) // 5, 1)))
        at = [float(seconds[part[-1]]) for part in slices]
        middle = [float(np.median(samples_ms[part])) for part in slices]
        slow = [float(np.percentile(samples_ms[part], 99)) for part in slices]
        says = f"{what} over {at[-1]:.0f} seconds: median {min(middle):.3g} to {max(middle):.3g} ms"
        lines = {"p50": list(zip(at, middle, strict=True)), "p99": list(zip(at, slow, strict=True))}
        return self.lines(lines, "s", "ms", says, zero=True)

    def lines(
        self,
        lines: Mapping[str, Sequence[tuple[float, float]]],
        x_title: str,
        y_title: str,
        says: str,
        zero: bool = False,
    ) -> str:
        """Lines through points (x, y), by name.

        Args:
            lines: Name → points.
            x_title: Unit of x.
            y_title: Unit of y.
            says: Description.
            zero: Whether the y axis begins at 0.
        """
        xs = [x for points in lines.values() for x, _ in points]
        ys = [y for points in lines.values() for _, y in points]
        low, high = (0.0 if zero else min(ys)), max(ys)
        options = {**OPTIONS, "show_legend": len(lines) > 1, "legend_at_bottom": True, "legend_box_size": 10}
        chart = pygal.XY(
            **options, stroke=True, show_dots=False, x_title=x_title, y_title=y_title,
            **_axis(min(xs), max(xs)), **_axis(low, high, "y_labels", "range"),
        )  # fmt: skip
        for name, points in lines.items():
            chart.add(name, list(points))
        return self._draw(chart, says)

    def bars(
        self, labels: Sequence[str], values: Sequence[float | None], unit: str, says: str, names: bool = True
    ) -> str:
        """Horizontal bars, the first one on top; ``None`` leaves a gap.

        Args:
            labels: One a bar.
            values: One a bar.
            unit: Of the values.
            says: Description.
            names: Whether the labels are written beside the bars.
        """
        known = [value for value in values if value is not None]
        low, high = min([0.0, *known]), max([0.0, *known])
        width, most = (WIDE, 2 * LABEL) if wide(labels) else (OPTIONS["width"], LABEL)
        options = {**OPTIONS, "height": 62 + ROW * len(labels), "spacing": 3, "width": width}
        chart = pygal.HorizontalBar(**options, x_title=unit, **_axis(low, high, "y_labels", "range"))
        # pygal never ends where labels leave no room for the bars.
        short = [text if len(text) <= most else text[: most - 1] + "…" for text in labels]
        chart.x_labels = short[::-1] if names else [""] * len(labels)
        rows = [{"value": value, "label": label} for label, value in zip(labels, values, strict=True)]
        chart.add("", rows[::-1], formatter=lambda value: f"{value:.4g} {unit}")
        return self._draw(chart, says)

    def stacked(self, parts: Mapping[str, float], unit: str, says: str) -> str:
        """One horizontal bar made of parts."""
        options = {**OPTIONS, "show_legend": True, "legend_at_bottom": True, "legend_box_size": 10}
        total = sum(parts.values())
        chart = pygal.HorizontalStackedBar(
            **{**options, "height": 168}, x_title=unit, **_axis(0, total, "y_labels", "range")
        )
        for name, value in parts.items():
            chart.add(f"{name} {value:.3g}", [value], formatter=lambda v: f"{v:.3g} {unit}")
        return self._draw(chart, says)

    def waterfall(self, steps: Mapping[str, float], unit: str, says: str) -> str:
        """Changes that add up, one column a step, and the total as the last column."""
        chart = pygal.StackedBar(**OPTIONS, y_title=unit, classes=("pygal-chart", "waterfall"))
        named = {**steps, "on the board": sum(steps.values())}
        chart.x_labels = [f"{name} {value:+.2f}" for name, value in named.items()]
        for serie in zip(*_columns(list(steps.values())), strict=True):
            chart.add("", list(serie), formatter=lambda _: "")
        return self._draw(chart, says)

    def pareto(self, points: Mapping[str, Sequence[Point]], fps: float, y_title: str, says: str) -> str:
        """Builds by speed (logarithmic) and quality, one color a group, and the line of the wanted FPS.

        Args:
            points: Group → (FPS, quality, label).
            fps: Where the line stands.
            y_title: What quality is.
            says: Description.
        """
        every = [point for group in points.values() for point in group]
        ys = [y for _, y, _ in every]
        low, high = min(ys), max(ys)
        room = max((high - low) * 0.15, 0.1)
        ticks = decades([x for x, _, _ in every] + [fps])
        options = {
            **OPTIONS,
            "margin_right": 40,
            "width": 700,
            "height": 340,
            "show_legend": True,
            "legend_at_bottom": True,
        }
        chart = pygal.XY(
            **options, stroke=False, dots_size=6, print_labels=True, x_title="FPS", y_title=y_title,
            xrange=(math.log10(ticks[0]), math.log10(ticks[-1])), range=(low - room, high + room),
            x_value_formatter=lambda x: f"{10**x:.0f}", legend_box_size=10,
        )  # fmt: skip
        chart.x_labels = [math.log10(tick) for tick in ticks]
        for name, group in points.items():
            chart.add(name, [{"value": (math.log10(x), y), "label": label} for x, y, label in group])
        front = [(math.log10(x), y) for x, y in _front(every)]
        if len(front) > 1:
            chart.add("best trades", front, stroke=True, show_dots=False)
        line = [(math.log10(fps), low - room), (math.log10(fps), high + room)]
        chart.add(f"{fps:g} FPS", line, stroke=True, show_dots=False)
        return self._draw(chart, says)


def _columns(steps: Sequence[float]) -> list[tuple[float, float, float, float, float]]:
    """The columns of a waterfall, the total last: what each stands on, and its parts below and above zero.

    Returns:
        (stands on, lost below, lost above, won below, won above) a column; a column reaches from the sum
        before it to the sum after it.
    """
    found = []
    for begin, end in [*((before, before + step) for before, step in _running(steps)), (0.0, sum(steps))]:
        low, high = min(begin, end), max(begin, end)
        stand = low if low > 0 else high if high < 0 else 0.0
        parts = (low - stand if low < stand else 0.0, high - stand if high > stand else 0.0)
        lost, won = (parts, (0.0, 0.0)) if end < begin else ((0.0, 0.0), parts)
        found.append((stand, *lost, *won))
    return found


def _running(steps: Sequence[float]) -> list[tuple[float, float]]:
    """(sum before, step) of each step."""
    return [(sum(steps[:index]), step) for index, step in enumerate(steps)]


def _front(points: Sequence[Point]) -> list[tuple[float, float]]:
    """The builds that no other one beats in both speed and quality, slowest first."""
    return sorted(
        {
            (x, y)
            for x, y, _ in points
            if not any(a >= x and b >= y and (a, b) != (x, y) for a, b, _ in points)
        }
    )


def _axis(low: float, high: float, labels: str = "x_labels", span: str = "xrange") -> dict[str, Any]:
    """About five round marks that cover low … high, and the range they span."""
    marks = round_marks(low, high)
    return {labels: marks, span: (marks[0], marks[-1])}
