"""Reports → one document that people read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgenet.errors import ReportError
from edgenet.report import Report

__all__ = ["QDQ_FORMATS", "load_reports", "present"]

QDQ_FORMATS = ("html", "md", "csv")


def present(reports: Sequence[Report | Path | str], form: str = "html") -> str:
    """One report, or several side by side, as a document.

    Args:
        reports: At least one.
        form: "html" (one file that needs nothing else), "md" or "csv".

    Raises:
        ReportError: A report cannot be read, or they cannot be compared.
    """
    found = load_reports(reports)
    if form == "html":
        from edgenet.views.page import page

        return page(found)
    from edgenet.views.text import csv_text, markdown

    return markdown(found) if form == "md" else csv_text(found)


def load_reports(reports: Sequence[Report | Path | str]) -> list[Report]:
    """Read reports that are to stand side by side.

    Raises:
        ReportError: One cannot be read, or they are of different models and not all judged on the
            same labelled images, so that their accuracies cannot be compared.
    """
    found = [report if isinstance(report, Report) else Report.load(report) for report in reports]
    models = {report.bundle.model_digest for report in found}
    sets = {(report.drift.labelled, report.drift.images, report.drift.images_digest) for report in found}
    labelled = all(report.drift.labelled for report in found)
    if len(models) > 1 and not (labelled and len(sets) == 1):
        names = ", ".join(dict.fromkeys(report.bundle.model for report in found))
        raise ReportError(
            f"the reports are of different models ({names}) and not all judged on the same labelled images",
            "profile each with the same --val folder that has a labels.csv, or give reports of one model",
        )
    return found
