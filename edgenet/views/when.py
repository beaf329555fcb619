"""When a report was measured, by its board's clock."""

from __future__ import annotations

from datetime import UTC, datetime

from edgenet.report import Report

__all__ = ["when"]


def when(report: Report) -> datetime | None:
    """In UTC; ``None`` where the board did not tell or its clock cannot be right."""
    seconds = report.device.facts.get("clock_s")
    if not isinstance(seconds, int | float) or not 0 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)
