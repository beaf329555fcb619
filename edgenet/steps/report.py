"""Reports or sweeps → one document that people read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgenet.errors import ReportError
from edgenet.report import Report
from edgenet.steps.join_sweeps import join_sweeps
from edgenet.steps.taken import report_of, several
from edgenet.swept import Sweep

__all__ = ["load_reports", "load_results", "present"]

FORMS = ("html", "md", "csv")


def present(
    results: Iterable[Report | Sweep | Path | str] | Report | Sweep | Path | str, form: str = "html"
) -> str:
    """One report or sweep, or several side by side, as a document.

    Args:
        results: A report or a sweep, or several of one kind.
        form: "html" (one file that needs nothing else), "md" or "csv".

    Raises:
        ReportError: One cannot be read, they cannot be compared, or there is no such form.

    Examples:
        >>> page = edgenet.present("report.json")
        >>> page.startswith("<!doctype html>")
        True
    """
    if form not in FORMS:
        raise ReportError(f"there is no form {form!r}", f"choose of {', '.join(FORMS)}")
    found = load_results(several(results))
    return _sweep(found, form) if isinstance(found, Sweep) else _reports(found, form)


def _reports(found: Sequence[Report], form: str) -> str:
    if form == "html":
        from edgenet.views.page import page

        return page(found)
    from edgenet.views.text import csv_text, markdown

    return markdown(found) if form == "md" else csv_text(found)


def _sweep(found: Sweep, form: str) -> str:
    if form == "html":
        from edgenet.views.sweep_page import sweep_page

        return sweep_page(found)
    from edgenet.views.sweep_text import sweep_csv, sweep_markdown

    return sweep_markdown(found) if form == "md" else sweep_csv(found)


def load_results(results: Sequence[Report | Sweep | Path | str]) -> list[Report] | Sweep:
    """Read reports, or sweeps as one with the boards of all.

    Raises:
        ReportError: There is none, one cannot be read, they cannot be compared, or some are reports and some
            sweeps.
    """
    if not results:
        raise ReportError("no report is given", "give a report or its path, or several")
    swept = [_is_sweep(item) for item in results]
    if not any(swept):
        return load_reports([item for item in results if not isinstance(item, Sweep)])
    if not all(swept):
        named = {kind: _name(results[swept.index(kind)]) for kind in (True, False)}
        raise ReportError(
            f"{named[True]} is a sweep and {named[False]} is none",
            "give sweeps or reports, not both; a sweep's own reports lie beside it",
        )
    return join_sweeps(
        [
            item if isinstance(item, Sweep) else Sweep.load(item)
            for item in results
            if not isinstance(item, Report)
        ]
    )


def _is_sweep(item: Report | Sweep | Path | str) -> bool:
    """Whether it is a sweep; what cannot be read is told when it is read."""
    if not isinstance(item, str | Path):
        return isinstance(item, Sweep)
    try:
        values = json.loads(Path(item).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(values, dict) and "cells" in values


def _name(item: Report | Sweep | Path | str) -> str:
    return repr(item) if isinstance(item, Report | Sweep) else str(item)


def load_reports(reports: Sequence[Report | Path | str]) -> list[Report]:
    """Read reports that are to stand side by side.

    Raises:
        ReportError: One cannot be read, they are of different tasks, or they are of different models and not
            all judged on the same labelled images, so that their accuracies cannot be compared.
    """
    found = [report_of(report) for report in reports]
    tasks = list(dict.fromkeys(report.drift.task for report in found))
    if len(tasks) > 1:
        reason = f"the reports are of different tasks ({', '.join(tasks)})"
        raise ReportError(reason, "give reports of one task")
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
