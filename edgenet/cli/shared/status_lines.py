"""What is deployed on a board and how that came, in lines, cells and tables for people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from edgenet.devices.upkeep_answers import BoardStatus, Happened, Kept, LastReport
from edgenet.figures import number

__all__ = [
    "HISTORY_HEADS",
    "KEPT_HEADS",
    "clock_note",
    "history_rows",
    "kept_rows",
    "status_cells",
    "status_lines",
    "when",
]

HISTORY_HEADS = ("here", "on the board", "who", "what", "deployment", "result")
KEPT_HEADS = ("digest", "deployment", "runtime", "since", "by", "")
# Clocks that differ by more than this are told, seconds.
APART = 300.0
UNITS = ((86400 * 365.25, "year"), (86400, "day"), (3600, "hour"), (60, "minute"))


def status_lines(found: BoardStatus) -> list[tuple[str, str]]:
    """Names and words; the newest of the history last."""
    return [
        ("current", _kept(found.current)),
        ("previous", _kept(found.previous)),
        ("kept", f"{len(found.deployments)} deployments"),
        ("last report", _report(found)),
        ("temperature", number(found.temperature_c, 1, " °C")),
        ("free space", _space(found)),
        ("signed only", "yes" if found.trusted else "no"),
    ]


def status_cells(found: BoardStatus) -> dict[str, str]:
    """The cells of a table of boards."""
    current = found.current
    return {
        "current": f"{current.name} ({current.digest[:12]})" if current else "–",
        "since": when(current.since) if current else "",
        "by": _by(current) if current else "",
        "FPS": number(found.last_report.fps, 1) if found.last_report else "–",
        "verdict": (found.last_report.verdict or "–") if found.last_report else "–",
        "°C": number(found.temperature_c, 0),
        "free MB": number(found.free_mb, 0),
    }


def kept_rows(found: BoardStatus) -> list[Sequence[str]]:
    """A row for each deployment on a board, the newest first; under ``KEPT_HEADS``."""
    return [
        [
            item.digest[:12],
            item.name or "–",
            _runtime(item),
            when(item.since),
            _by(item),
            _place(item, found),
        ]
        for item in found.deployments
    ]


def history_rows(found: BoardStatus) -> list[Sequence[str]]:
    """A row for each line of a board's history, the newest first: when by both clocks, who, what, result."""
    return [
        [
            when(item.at_host),
            when(item.at_board),
            _person(item.who, item.host),
            item.what,
            f"{item.name or ''} {(item.digest or '')[:12]}".strip() or _gone(item),
            item.result,
        ]
        for item in found.history
    ]


def clock_note(found: BoardStatus) -> str | None:
    """That the board's clock is wrong, or this machine's; ``None`` where they agree."""
    apart = found.clock_s - time.time()
    if abs(apart) < APART:
        return None
    unit, name = next(item for item in UNITS if abs(apart) >= item[0])
    way = "ahead of" if apart > 0 else "behind"
    return f"the board's clock is {abs(apart) / unit:.1f} {name}s {way} this machine's"


def when(seconds: float | None) -> str:
    """A moment in this machine's time zone, to the minute."""
    if seconds is None:
        return "–"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "–"


def _kept(item: Kept | None) -> str:
    if item is None:
        return "none"
    came = f"since {when(item.since)}" if item.since is not None else "since when is not known"
    by = f" by {_by(item)}" if _by(item) else ""
    return f"{item.name} ({item.digest[:12]}), {came}{by}; {_runtime(item)}"


def _runtime(item: Kept) -> str:
    made = f"{item.backend or '–'} {item.runtime_version or ''}".strip()
    return made if item.runtime else f"{made}, the board's own"


def _by(item: Kept) -> str:
    return _person(item.by, item.host)


def _person(who: str | None, host: str | None) -> str:
    return "@".join(part for part in (who, host) if part)


def _place(item: Kept, found: BoardStatus) -> str:
    for name in ("current", "previous"):
        at: Any = getattr(found, name)
        if at is not None and at.digest == item.digest:
            return name
    return ""


def _report(found: BoardStatus) -> str:
    last: LastReport | None = found.last_report
    if last is None:
        return "none: edgenet profile leaves one"
    about = next((item.name for item in found.deployments if item.digest == last.digest), None)
    figures = f"{number(last.fps, 1)} FPS, p99 {number(last.p99_ms)} ms, {last.verdict or 'no verdict'}"
    return f"{figures}; {about or (last.digest or '')[:12]}, {when(last.at)}"


def _space(found: BoardStatus) -> str:
    return f"{found.free_mb / 1e3:.1f} GB" if found.free_mb >= 1e3 else f"{found.free_mb:.0f} MB"


def _gone(item: Happened) -> str:
    removed = (item.told or {}).get("removed")
    return f"{len(removed)} removed" if isinstance(removed, list) else ""
