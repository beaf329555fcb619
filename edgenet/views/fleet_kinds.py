"""The boards of a fleet by kind: only those of one kind should show the same figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.fleet_report import FleetReport
from edgenet.report import Report
from edgenet.text import plain

__all__ = ["Kind", "Measured", "kinds"]


@dataclass(frozen=True)
class Measured:
    """A board by its name, and what was measured on it."""

    name: str
    report: Report


@dataclass(frozen=True)
class Kind:
    """Boards that should behave alike.

    Attributes:
        letter: What the page calls it: "A", "B", ….
        words: What its boards have in common.
        boards: In the fleet's order.
    """

    letter: str
    words: str
    boards: Sequence[Measured]


def kinds(fleet: FleetReport) -> list[Kind]:
    """By target, build, Python, top clock, network, protocol and frame; the first board's kind first."""
    found: dict[tuple[str, ...], list[Measured]] = defaultdict(list)
    for item in fleet.boards:
        if item.report is not None:
            found[_facts(item.report)].append(Measured(item.board, item.report))
    telling = [len(set(values)) > 1 for values in zip(*found, strict=True)]
    return [Kind(_letter(at), _words(key, telling), boards) for at, (key, boards) in enumerate(found.items())]


# Of a kind's facts, so many are always told; the others where the fleet's boards differ in them.
_ALWAYS = 4


def _facts(report: Report) -> tuple[str, ...]:
    facts = report.device.facts
    python, clock = facts.get("python"), facts.get("clock_max_mhz")
    return (
        report.device.target,
        report.build,
        f"Python {'.'.join(python.split('.')[:2])}" if isinstance(python, str) and python else "",
        f"{clock} MHz" if isinstance(clock, int) and not isinstance(clock, bool) else "",
        report.bundle.model,
        (report.bundle.model_digest or "")[:8],
        report.protocol.name,
        report.frame or "",
        "emulated" if report.emulated else "",
    )


def _words(key: Sequence[str], telling: Sequence[bool]) -> str:
    shown = (word for at, word in enumerate(key) if at < _ALWAYS or telling[at])
    return plain(" · ".join(filter(None, shown)))


def _letter(index: int) -> str:
    """As a spreadsheet names its columns: A … Z, AA, AB …."""
    before, last = divmod(index, 26)
    return (_letter(before - 1) if before else "") + chr(ord("A") + last)
