"""What the search of a sweep saved, board by board, in words."""

from __future__ import annotations

from edgenet.figures import duration
from edgenet.swept import Saved, Sweep
from edgenet.views.sweep_order import board_names
from edgenet.views.sweep_words import counted, cut

__all__ = ["saved_words"]

LONGEST = 120


def saved_words(sweep: Sweep) -> list[str]:
    """A line a board."""
    names = board_names(sweep)
    return [_line(item, cut(names.get(item.device, item.device), LONGEST)) for item in sweep.saved]


def _line(item: Saved, board: str) -> str:
    if not item.board_seconds and not item.skipped:
        return f"{board}: nothing was timed"
    took = f"{board}: measured for {duration(item.board_seconds)}"
    if not item.skipped:
        return f"{took}; none of {counted(item.cells, 'cell')} could be left out"
    were = "was" if item.skipped == 1 else "were"
    left = f"{item.skipped:,} of {counted(item.cells, 'cell')} {were} decided without the board"
    return f"{took}; {left}, which saved about {duration(item.saved_seconds)}"
