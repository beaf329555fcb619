"""Several builds by speed and quality, with the 95 % intervals of both."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgenet.metric import Metric, quality
from edgenet.report import Report
from edgenet.statistics import mean_interval
from edgenet.views.marks import precision_order, shape_of
from edgenet.views.parts import Chart
from edgenet.views.pipeline import WANTED_FPS
from edgenet.views.scatter import scatter, symbol
from edgenet.views.scatter_axes import Axes, Mark, Span

__all__ = ["builds_chart", "builds_legend"]

# The page has so many colors.
COLORS = 5
CAPTION = (
    "Speed against accuracy: up and to the right is better; the line is {line:g} FPS. Bars are 95 %"
    " intervals: of the speed within its run, of the accuracy's change against float on the same images"
)


def builds_chart(reports: Sequence[Report], names: Sequence[str], chosen: Sequence[int]) -> Chart | None:
    """The drawing, or ``None`` where no measure of quality or no speed is common to them.

    Args:
        reports: Side by side.
        names: What each is called.
        chosen: The indices of those that are recommended, which are ringed.
    """
    measure = quality(*reports)
    shown = [at for at, report in enumerate(reports) if not report.emulated]
    if measure is None or not shown:
        return None
    colors = _colors(reports)
    heights = {at: measure.of(reports[at]) or 0.0 for at in shown}
    marks = [
        Mark(
            reports[at].fps.best_known, heights[at], _speed(reports[at]), _height(reports[at], measure),
            colors[reports[at].bundle.backend], shape_of(reports[at].bundle.precision), True,
            f"{names[at]}: {reports[at].fps.best_known:.1f} FPS, {heights[at]:.1f} {measure.axis}",
            f"#report-{at + 1}", names[at], at in chosen, _unbeaten(at, shown, reports, heights),
        )
        for at in shown
    ]  # fmt: skip
    axes = Axes.around(marks, WANTED_FPS)
    says = "; ".join(mark.title for mark in marks)
    titles = ("FPS" + (", logarithmic" if axes.logarithmic else ""), measure.axis)
    return Chart(CAPTION.format(line=WANTED_FPS), scatter(marks, axes, WANTED_FPS, titles, says), wide=True)


def builds_legend(reports: Sequence[Report]) -> list[tuple[str, str]]:
    """(symbol as SVG, what it means): a color a backend, a shape a precision."""
    real = [report for report in reports if not report.emulated]
    colors = _colors(reports)
    backends = sorted({report.bundle.backend for report in real})
    precisions = sorted({report.bundle.precision for report in real}, key=precision_order)
    found = [(symbol("circle", colors[name]), name) for name in backends]
    return [*found, *((symbol(shape_of(name)), name) for name in precisions)]


def _colors(reports: Sequence[Report]) -> dict[str, int]:
    """Backend → number of its color, in the order of their names."""
    names = sorted({report.bundle.backend for report in reports})
    return {name: at % COLORS for at, name in enumerate(names)}


def _speed(report: Report) -> Span | None:
    """The 95 % interval of the FPS, by that of the mean latency."""
    spread = mean_interval((report.pipeline_ms or report.latency_ms).array())
    return spread and (1e3 / spread[1], 1e3 / spread[0] if spread[0] > 0 else math.inf)


def _height(report: Report, measure: Metric) -> Span | None:
    """The float model's quality with the interval of the change; of the agreement its own."""
    drift, value = report.drift, measure.of(report)
    if value is None:
        return None
    if drift.best is None or drift.delta_pp is None or abs(value - 100.0 * drift.best) > 1e-6:
        return drift.agreement_interval and (
            100.0 * drift.agreement_interval[0], 100.0 * drift.agreement_interval[1]
        )  # fmt: skip
    base = value - drift.delta_pp
    return drift.interval_pp and (base + drift.interval_pp[0], base + drift.interval_pp[1])


def _unbeaten(at: int, shown: Sequence[int], reports: Sequence[Report], heights: dict[int, float]) -> bool:
    """Whether no other build beats it in one and is as good in the other."""
    x, y = reports[at].fps.best_known, heights[at]
    others = [(reports[other].fps.best_known, heights[other]) for other in shown if other != at]
    return not any(a >= x and b >= y and (a, b) != (x, y) for a, b in others)
