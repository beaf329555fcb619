"""The board's events as progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgenet.progress import Progress

__all__ = ["board_events"]

MOST = 2**53


def board_events(progress: Progress, total: int | None = None) -> Callable[[Mapping[str, Any]], None]:
    """What hands the events of the agent's and the host's board side on to ``progress``.

    Args:
        progress: Told stage, done and total; bytes in kB, times in tenths of a second.
        total: Where an event does not say how much there is.
    """

    def tell(event: Mapping[str, Any]) -> None:
        stage = str(event.get("stage"))
        if "of_bytes" in event:
            progress(f"{stage} (kB)", _whole(event, "bytes") // 1000, _whole(event, "of_bytes") // 1000)
        elif "of_seconds" in event:
            progress(f"measure {stage} (s)", _whole(event, "seconds"), _whole(event, "of_seconds"))
        elif "wheel" in event:
            progress(f"{stage} {event['wheel']}", 0, None)
        else:
            of = None if event.get("of") is None else _whole(event, "of")
            progress(stage, _whole(event, "done"), total if of is None else of)

    return tell


def _whole(event: Mapping[str, Any], name: str) -> int:
    """A number that a board told on its way; one that is none counts as 0, for nothing rests on it."""
    value = event.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST
    return int(value) if known and value is not None else 0
