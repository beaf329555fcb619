"""In which facts a board differs from the others of its kind: what may be why its figures do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from edgenet.change import VALID
from edgenet.figures import number
from edgenet.metric import TEMPERATURE
from edgenet.report import Report

__all__ = ["differences"]

# Kelvin and share by which a board's heat and clock must differ from the others' to be worth a word.
HOTTER, SLOWER = 8.0, 0.05


def differences(report: Report, others: Sequence[Report]) -> list[str]:
    """Each fact with what most of the others have: "governor powersave, of the others performance".

    Args:
        report: Of the board.
        others: Of the other boards of its kind, at least one.
    """
    found = [_state(report, others), _clock(report, others), _heat(report, others)]
    found += [_fact(name, read, report, others) for name, read in FACTS.items()]
    return [words for words in found if words]


def _state(report: Report, others: Sequence[Report]) -> str:
    """A verdict that speaks against the figures, where it is not everybody's; it has its own reasons."""
    state = report.verdict.state
    if state == VALID or all(item.verdict.state == state for item in others):
        return ""
    return state


def _clock(report: Report, others: Sequence[Report]) -> str:
    own, known = _mhz(report), [mhz for item in others if (mhz := _mhz(item)) is not None]
    if own is None or not known or abs(own - median(known)) <= SLOWER * median(known):
        return ""
    return f"ran at {own:.0f} MHz, the others at {median(known):.0f}"


def _mhz(report: Report) -> float | None:
    """Median of the fastest core's clock while it was measured."""
    told = [max(item.cpu_mhz) for item in report.sensors.during or () if item.cpu_mhz]
    return median(told) if told else None


def _heat(report: Report, others: Sequence[Report]) -> str:
    own, known = TEMPERATURE.of(report), [c for item in others if (c := TEMPERATURE.of(item)) is not None]
    if own is None or not known or abs(own - median(known)) <= HOTTER:
        return ""
    return f"{number(own, 0)} °C at most, the others {number(median(known), 0)}"


def _fact(name: str, read: Callable[[Report], str], report: Report, others: Sequence[Report]) -> str:
    """A fact that is not what most of the others have."""
    (usual, count), own = Counter(map(read, others)).most_common(1)[0], read(report)
    if own == usual or 2 * count <= len(others):
        return ""
    return f"{name} {own or 'not told'}, of the others {usual or 'not told'}"


def _told(key: str) -> Callable[[Report], str]:
    def read(report: Report) -> str:
        value: Any = report.device.facts.get(key)
        return "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    return read


def _governor(report: Report) -> str:
    before = report.sensors.before
    return (before.governor if before else None) or _told("governor")(report)


def _runtime(report: Report) -> str:
    """The board's own, which is taken where there is one."""
    own = report.device.facts.get("runtimes")
    version = own.get(report.bundle.backend) if isinstance(own, dict) else None
    return str(version) if version else "edgenet's"


def _threads(report: Report) -> str:
    used = report.protocol.threads_used
    return "" if used is None else str(used)


FACTS: dict[str, Callable[[Report], str]] = {
    "governor": _governor,
    "runtime": _runtime,
    "threads": _threads,
    "build": lambda report: report.bundle.digest[:12],
    "power mode": _told("power_mode"),
    "Python": _told("python"),
    "kernel": _told("kernel"),
    "system": _told("os"),
    "board": _told("board"),
    "processor": _told("cpu"),
    "cores": _told("cores"),
}
