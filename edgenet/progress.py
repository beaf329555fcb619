"""How long work tells that it goes on: one callback, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["REMARK", "Progress", "silent"]

# In place of how much there is: what is told is over at once, and stays on the screen.
REMARK = 0
# Called with what is being done, how much is done, and how much there is (None when not known, or REMARK).
# The first is in plain words, and ends with what is counted: "calibrating (images)", "sending (kB)".
Progress = Callable[[str, int, int | None], None]


def silent(stage: str, done: int, total: int | None) -> None:
    """Report nothing."""
