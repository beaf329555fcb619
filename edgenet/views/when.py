"""When something was measured, by its board's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["when"]

# Unix seconds at which a clock can be right; one without a battery begins long before.
LEAST, MOST = 1.6e9, 1e11


def when(facts: Mapping[str, Any]) -> datetime | None:
    """In UTC, from the facts that a board told; ``None`` where it did not or its clock cannot be right."""
    seconds = facts.get("clock_s")
    if not isinstance(seconds, int | float) or not LEAST < seconds < MOST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
