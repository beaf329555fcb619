"""The charts of a report that pygal draws, each from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.views.axes import round_marks
from edgenet.views.svg import OPTIONS, Numbering, inline, pygal

__all__ = ["Charts"]

# Slices of a run in the time series; each is one point a line.
SLICES = 120


class Charts:
    """Draws the charts of one page; every method gives an SVG element."""

    def __init__(self) -> None:
        self._numbering = Numbering()

    def _draw(self, chart: Any, says: str) -> str:
        return inline(chart, says, self._numbering.next())

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

    def stacked(self, parts: Mapping[str, float], unit: str, says: str) -> str:
        """One horizontal bar made of parts."""
        options = {**OPTIONS, "show_legend": True, "legend_at_bottom": True, "legend_box_size": 10}
        total, more = sum(parts.values()), (len(parts) - 1) // 2  # rows of the legend after the first
        chart = pygal.HorizontalStackedBar(
            **{**options, "height": 180 + 25 * more, "margin_bottom": OPTIONS["margin"] + 6 * (more + 1)},
            x_title=unit,
            **_axis(0, total, "y_labels", "range"),
        )
        for name, value in parts.items():
            chart.add(f"{name} {value:.3g}", [value], formatter=lambda v: f"{v:.3g} {unit}")
        return self._draw(chart, says)


def _axis(low: float, high: float, labels: str = "x_labels", span: str = "xrange") -> dict[str, Any]:
    """About five round marks that cover low … high, and the range they span."""
    marks = round_marks(low, high)
    return {labels: marks, span: (marks[0], marks[-1])}
