"""Reports, sweeps or a fleet's report → one document that people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from edgenet.errors import ReportError
from edgenet.fleet_report import FleetReport
from edgenet.report import Report
from edgenet.steps.join_sweeps import join_sweeps
from edgenet.steps.taken import Kind, fleet_report_of, kind_of, report_of, several
from edgenet.swept import Sweep

__all__ = ["ResultLike", "Results", "document", "earlier", "load_reports", "load_results", "present"]

FORMS = ("html", "md", "csv")
NOUNS: dict[Kind, str] = {Report: "report", Sweep: "sweep", FleetReport: "fleet report"}

# What names something measured: it, or its file.
ResultLike = Report | Sweep | FleetReport | Path | str
# What several are read as.
Results = list[Report] | Sweep | FleetReport


def present(
    results: Iterable[ResultLike] | ResultLike,
    form: str = "html",
    since: FleetReport | Path | str | None = None,
) -> str:
    """One report, sweep or fleet, or several reports or sweeps side by side, as a document.

    Args:
        results: A report, a sweep or a fleet's report, or several reports or sweeps.
        form: "html" (one file that needs nothing else), "md" or "csv".
        since: An earlier run of a fleet: what changed on each board since.

    Raises:
        ReportError: One cannot be read, they cannot be shown together, or there is no such form.

    Examples:
        >>> page = edgenet.present("report.json")
        >>> page.startswith("<!doctype html>")
        True
    """
    return document(results, form, since)[""]


def document(
    results: Iterable[ResultLike] | ResultLike,
    form: str = "html",
    since: FleetReport | Path | str | None = None,
    folder: str = "",
) -> Mapping[str, str]:
    """The same with what does not fit in one file.

    Args:
        results: As for :func:`present`.
        form: As there.
        since: As there.
        folder: Where further pages go, as a path from the document's own folder; none are made without it.

    Returns:
        Path → text; the document itself under "". A fleet's page has further ones where the reports of all
        boards are too large for it.

    Raises:
        ReportError: As there.
    """
    if form not in FORMS:
        raise ReportError(f"there is no form {form!r}", f"choose from {', '.join(FORMS)}")
    found = load_results(several(results))
    old = earlier(found, since)
    if isinstance(found, FleetReport):
        return _fleet(found, form, old, folder)
    return {"": _sweep(found, form) if isinstance(found, Sweep) else _reports(found, form)}


def earlier(found: Results, since: FleetReport | Path | str | None) -> FleetReport | None:
    """The earlier run that was given.

    Raises:
        ReportError: It cannot be read, or what was found is no fleet's report.
    """
    if since is not None and not isinstance(found, FleetReport):
        raise ReportError("only a fleet's report has an earlier run", "leave --since out")
    return None if since is None else fleet_report_of(since)


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


def _fleet(found: FleetReport, form: str, old: FleetReport | None, folder: str) -> Mapping[str, str]:
    if form == "html":
        from edgenet.views.fleet_page import fleet_document

        made = fleet_document(found, old, folder)
        return {"": made.page, **made.beside}
    from edgenet.views.fleet_rows import matrix_of
    from edgenet.views.fleet_text import fleet_csv_text, fleet_markdown

    write = fleet_markdown if form == "md" else fleet_csv_text
    return {"": write(found, matrix_of(found, old))}


def load_results(results: Sequence[ResultLike]) -> Results:
    """Read reports, sweeps as one with the boards of all, or a fleet's report.

    Raises:
        ReportError: There is none, one cannot be read, they cannot be compared, they are of several kinds, or
            there is more than one of fleets.
    """
    if not results:
        raise ReportError("no report is given", "give a report or its path, or several")
    kinds = [kind_of(item) for item in results]
    _one_kind(results, kinds)
    if kinds[0] is Report:
        return load_reports([item for item in results if not isinstance(item, Sweep | FleetReport)])
    if kinds[0] is FleetReport:
        if len(results) > 1:
            raise ReportError(
                "a page is of one run of a fleet", "give the newer one, and the older one with --since"
            )
        return fleet_report_of(next(item for item in results if not isinstance(item, Report | Sweep)))
    return join_sweeps(
        [
            item if isinstance(item, Sweep) else Sweep.load(item)
            for item in results
            if not isinstance(item, Report | FleetReport)
        ]
    )


def _one_kind(results: Sequence[ResultLike], kinds: Sequence[Kind]) -> None:
    """Refuse what cannot stand on one page."""
    other = next((kind for kind in kinds if kind is not Report), Report)
    if all(kind is other for kind in kinds):
        return
    odd = next(at for at, kind in enumerate(kinds) if kind is not other)
    named = [_name(results[at]) for at in (kinds.index(other), odd)]
    noun = NOUNS[other]
    raise ReportError(
        f"{named[0]} is a {noun} and {named[1]} is not",
        f"give {noun}s or reports, not both; a sweep's own reports lie beside it"
        if other is Sweep
        else "give a fleet report alone, or reports",
    )


def _name(item: ResultLike) -> str:
    return str(item) if isinstance(item, str | Path) else repr(item)


def load_reports(reports: Sequence[Report | Path | str]) -> list[Report]:
    """Read reports that are to stand side by side.

    Raises:
        ReportError: One cannot be read, they are of different tasks, or they are of different models and not
            all judged on the same labeled images, so that their accuracies cannot be compared.
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
            f"the reports are of different models ({names}) and not all judged on the same labeled images",
            "profile each with the same --val folder that has a labels.csv, or give reports of one model",
        )
    return found
