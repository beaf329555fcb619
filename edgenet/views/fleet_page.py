"""A fleet as one HTML file: every board beside the others of its kind, and each one's report a click away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from edgenet.change import VALID
from edgenet.figures import number
from edgenet.fleet_report import FleetReport
from edgenet.outliers import RULE
from edgenet.views.charts import Charts
from edgenet.views.downloads import file_name, fleet_csv
from edgenet.views.fleet_marks import middles
from edgenet.views.fleet_rows import NAME, FleetMatrix, matrix_of
from edgenet.views.fleet_since import Since
from edgenet.views.page import page
from edgenet.views.parts import Table, Tile
from edgenet.views.report_body import report_body
from edgenet.views.script import script
from edgenet.views.sweep_words import counted, cut
from edgenet.views.template import render
from edgenet.views.when import when

__all__ = ["FleetDocument", "fleet_document"]

# Bytes of the boards' reports that one page carries; of more, each is a page of its own beside it.
MOST = 2_500_000
LONGEST, NOTES = 600, 200
SHUT = (
    "The boards' own reports together are too large for this page: edgenet report FLEET.json -o FLEET.html "
    "writes each as a page of its own beside it."
)
LEAD = "Click a heading to sort, again to reverse. Marked figures stand out among the boards of their kind."
ARROWS = (
    " An arrow is a change that the samples tell from none, of a speed more than 1 %; without one, it may be"
    " chance."
)


@dataclass(frozen=True)
class FleetDocument:
    """The page, and the pages beside it: path from the page's folder → document."""

    page: str
    beside: Mapping[str, str] = field(default_factory=dict)


def fleet_document(report: FleetReport, old: FleetReport | None = None, folder: str = "") -> FleetDocument:
    """The page of a fleet.

    Args:
        report: The fleet.
        old: An earlier run, for what changed since.
        folder: Where the boards' own reports go, beside the page, if together they are too large for it;
            without one they are left out then, and the page says so.
    """
    fleet = matrix_of(report, old)
    ids = {name: f"report-{at + 1}" for at, name in enumerate(fleet.rows)}
    bodies = _bodies(report, ids)
    if bodies is not None:
        return FleetDocument(_page(report, fleet, bodies, {name: f"#{of}" for name, of in ids.items()}))
    if not folder:
        return FleetDocument(_page(report, fleet, [], {}, SHUT))
    paths = {name: f"{folder}/{at + 1:02d}-{file_name(name)}.html" for at, name in enumerate(fleet.rows)}
    links = {name: quote(path) for name, path in paths.items()}
    own = {item.board: item.report for item in report.boards if item.report is not None}
    beside = {paths[name]: page([found]) for name, found in own.items()}
    return FleetDocument(_page(report, fleet, [], links), beside)


def _bodies(report: FleetReport, ids: Mapping[str, str]) -> list[dict[str, str]] | None:
    """Each board's report as a part of the page, in the order of the rows; ``None`` if they are too large."""
    charts, own = Charts(), {item.board: item.report for item in report.boards if item.report is not None}
    found, room = [], MOST
    for name, of in ids.items():
        body = report_body(own[name], charts, of)
        about = " · ".join(filter(None, (body["name"], body["where"], body["when"], body["state"])))
        html = render("fleet_board.html.j2", report=body)
        room -= len(html.encode())
        if room < 0:
            return None
        found.append({"id": of, "name": cut(name, NAME), "about": cut(about, LONGEST), "html": html})
    return found


def _page(
    report: FleetReport,
    fleet: FleetMatrix,
    bodies: Sequence[Any],
    links: Mapping[str, str],
    unopened: str = "",
) -> str:
    return render(
        "fleet.html.j2",
        title=_title(report),
        about=_about(report, fleet),
        tiles=_tiles(report, fleet),
        lost=_lost(report),
        lead=LEAD + (ARROWS if fleet.since else ""),
        heads=fleet.heads,
        rows=[
            {"id": f"board-{at + 1}", "link": links.get(name, ""), **vars(row)}
            for at, (name, row) in enumerate(fleet.rows.items())
        ],
        kinds=_kinds(fleet),
        rule=[*RULE, f"Least differences: {', '.join(item.words for item in fleet.columns)}."],
        since=_since(fleet.since) if fleet.since else None,
        bodies=bodies,
        unopened=unopened,
        csv=fleet_csv(report, fleet),
        script=script(),
    )


def _title(report: FleetReport) -> str:
    models = ", ".join(dict.fromkeys(item.bundle.model for item in report.reports))
    return cut(f"{models or 'nothing'} on {counted(len(report.boards), 'board')}", LONGEST)


def _about(report: FleetReport, fleet: FleetMatrix) -> str:
    date = when({"clock_s": report.at})
    words = [
        date.strftime("%Y-%m-%d %H:%M UTC") if date else "",
        counted(len(fleet.kinds), "kind"),
        *dict.fromkeys(f"protocol {item.protocol.name}" for item in report.reports),
    ]
    return cut(" · ".join(filter(None, words)), LONGEST)


def _tiles(report: FleetReport, fleet: FleetMatrix) -> list[Tile]:
    """How many of the boards are as they should be."""
    count, states = len(report.boards), Counter(item.verdict.state for item in report.reports)
    rest = ", ".join(f"{number} {state}" for state, number in states.items() if state != VALID)
    measured, odd = len(report.reports), sum(bool(item.marks) for item in fleet.standings.values())
    over = sum(item.over_limit for item in report.reports)
    lost = Counter(item.state for item in report.boards if item.report is None)
    words = ", ".join(f"{number} {state}" for state, number in lost.items())
    return [
        Tile("measured", f"{measured}", f"of {counted(count, 'board')}", cut(words, NAME)),
        Tile("VALID", f"{states[VALID]}", f"of {measured}", cut(rest, NAME)),
        Tile("stand out in their kind", f"{odd}", f"of {measured}"),
        *([Tile("over a limit", f"{over}", f"of {measured}")] if _limited(report) else []),
        *([_faster(fleet.since)] if fleet.since else []),
    ]


def _limited(report: FleetReport) -> bool:
    return any(item.verdict.limits for item in report.reports)


def _faster(since: Since) -> Tile:
    return Tile("changed", f"{since.faster + since.slower}", f"of {since.compared}",
                f"{since.faster} faster, {since.slower} slower")  # fmt: skip


def _lost(report: FleetReport) -> list[dict[str, Any]]:
    """The boards without figures, and why."""
    return [
        {
            "id": f"lost-{at + 1}",
            "name": cut(item.board, NAME),
            "device": cut(item.device, NAME),
            "state": item.state,
            "tags": [cut(tag, NAME) for tag in item.tags[:NOTES]],
            "reason": cut(item.reason, LONGEST),
            "remedy": cut(item.remedy, LONGEST),
        }
        for at, item in enumerate(report.boards)
        if item.report is None
    ]


def _kinds(fleet: FleetMatrix) -> Table:
    """A row a kind: its boards, and the median, the least and the most of each figure."""
    rows = []
    for kind in fleet.kinds:
        reports = [item.report for item in kind.boards]
        odd = sum(bool(fleet.standings[item.name].marks) for item in kind.boards)
        told = [_spread(middles(reports, item), item.metric.digits) for item in fleet.columns]
        rows.append([kind.letter, cut(kind.words, LONGEST), str(len(reports)), *told, str(odd)])
    heads = ["kind", "its boards have", "boards", *(item.metric.head for item in fleet.columns), "stand out"]
    return Table("The boards by kind", heads, rows)


def _spread(found: tuple[float, float, float] | None, digits: int) -> str:
    if found is None:
        return "–"
    low, middle, high = (number(value, digits) for value in found)
    return middle if low == high else f"{middle} ({low} to {high})"


def _since(since: Since) -> dict[str, Any]:
    faster, slower = since.faster, since.slower
    told = f"{faster} faster, {slower} slower, {since.compared - faster - slower} not told apart"
    lines = [
        f"{counted(since.compared, 'board')} with figures in both runs: {told}",
        *([f"New: {', '.join(since.new)}"] if since.new else []),
        *([f"Gone: {', '.join(since.gone)}"] if since.gone else []),
    ]
    notes = [f"{name}: {'; '.join(item.notes)}" for name, item in since.boards.items() if item.notes]
    return {
        "date": since.date,
        "lines": [cut(line, LONGEST) for line in lines],
        "notes": [cut(line, LONGEST) for line in notes[:NOTES]],
    }
