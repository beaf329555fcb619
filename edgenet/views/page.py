"""Reports as one HTML file that needs nothing else: read without a script, no network, light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.report import Report
from edgenet.views.banners import banners
from edgenet.views.charts import Charts
from edgenet.views.downloads import as_csv
from edgenet.views.overview import Overview, overview
from edgenet.views.report_body import report_body, when_words, where_words
from edgenet.views.script import script
from edgenet.views.template import render

__all__ = ["page"]


def page(reports: Sequence[Report]) -> str:
    """The page of one report, or of several compared.

    Args:
        reports: At least one.
    """
    charts = Charts()
    shown = [report_body(report, charts, f"report-{index + 1}") for index, report in enumerate(reports)]
    compared: Overview | None = overview(reports) if len(reports) > 1 else None
    title = f"{reports[0].bundle.model} {reports[0].build}" if compared is None else compared.title
    return render(
        "page.html.j2",
        title=title,
        reports=shown,
        overview=compared,
        banners=banners(reports, compared.names) if compared else [],
        where=" · ".join(dict.fromkeys(where_words(report) for report in reports)),
        when=when_words(reports),
        csv=as_csv(reports),
        script=script(),
    )
