"""What makes the figures of a page less than they seem, said once on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.report import Report

__all__ = ["MEANS", "Banner", "banners"]

# What each state other than VALID means to a reader.
MEANS = {
    "NOISY": "something disturbed the runs: measure again on a quiet board before you rely on the times",
    "THROTTLED": "the board lowered its clock: cool it and measure again",
    "UNDERVOLT": "the power supply was too weak: use a better one and measure again",
    "EMULATED": "the board is a simulation: its answers count, its speed says nothing and is not shown",
}


@dataclass(frozen=True)
class Banner:
    """A state, of which reports, what it means, and the reasons, a line each."""

    state: str
    of: str
    means: str
    reasons: Sequence[str]


def banners(reports: Sequence[Report], names: Sequence[str]) -> list[Banner]:
    """One for each state other than VALID.

    Args:
        reports: Side by side.
        names: What each is called.
    """
    states = dict.fromkeys(report.verdict.state for report in reports if report.verdict.state != "VALID")
    return [_banner(state, reports, names) for state in states]


def _banner(state: str, reports: Sequence[Report], names: Sequence[str]) -> Banner:
    own = {name: item for name, item in zip(names, reports, strict=True) if item.verdict.state == state}
    count = len(own)
    of = f"all {count} builds" if count == len(reports) else f"{count} of {len(reports)} builds"
    reasons = [
        f"{name}: {'; '.join(report.verdict.reasons)}"
        for name, report in own.items()
        if report.verdict.reasons
    ]
    return Banner(state, of, MEANS.get(state, ""), reasons)
