"""The head of a page of several reports: what to take, a table, speed against accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.metric import metric
from edgenet.report import Report
from edgenet.views.bars import bars
from edgenet.views.builds_chart import builds_chart, builds_legend
from edgenet.views.comparison import names, table, unlike
from edgenet.views.parts import Chart
from edgenet.views.recommendation import Recommendation, recommendations

__all__ = ["Overview", "overview"]

NO_ADVICE = (
    "of different models: none is recommended, for what each one lost against its own float model does not"
    " tell which model to take"
)


@dataclass(frozen=True)
class Overview:
    """The head of a page of several reports.

    Attributes:
        title: What is compared.
        names: What each report is called.
        advice: What to take, one a board.
        columns: Of the table.
        rows: Cells (text, whether it is the best of its column), one row a report.
        plot: Speed against accuracy, where both are known.
        legend: (symbol, meaning) of its marks.
        charts: Bars of single figures.
        notes: Why the comparison may be unfair.
    """

    title: str
    names: Sequence[str]
    advice: Sequence[Recommendation]
    columns: Sequence[str]
    rows: Sequence[Sequence[tuple[str, bool]]]
    plot: Chart | None
    legend: Sequence[tuple[str, str]]
    charts: Sequence[Chart]
    notes: Sequence[str]


def overview(reports: Sequence[Report]) -> Overview:
    """Compare at least two reports."""
    models, called = list(dict.fromkeys(report.bundle.model for report in reports)), names(reports)
    advice, (columns, rows) = recommendations(reports, called), table(reports)
    plot = builds_chart(reports, called, [item.index for item in advice if item.index is not None])
    legend = builds_legend(reports) if plot else []
    drawn, said = _bars(reports), [*unlike(reports), *([] if advice else [NO_ADVICE])]
    return Overview(", ".join(models), called, advice, columns, rows, plot, legend, drawn, said)


def _bars(reports: Sequence[Report]) -> list[Chart]:
    found = []
    for key, caption in (("p50_ms", "Median of one invocation, ms"), ("peak_mb", "Peak memory, MB")):
        drawn = metric(key, *reports)
        shown = [report for report in reports if drawn.of(report) is not None]
        known = [(name, drawn.of(report)) for name, report in zip(names(shown), shown, strict=True)]
        if known:
            labels, values = [name for name, _ in known], [value for _, value in known]
            found.append(Chart(caption, bars(labels, values, drawn.unit, caption)))
    return found
