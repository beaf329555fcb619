"""Why something is not done on boards."""

from __future__ import annotations

from collections.abc import Iterable

from edgenet.cli.shared.output import say
from edgenet.text import unnamed

__all__ = ["say_reasons"]


def say_reasons(told: Iterable[tuple[str, str | None, str | None]]) -> None:
    """A line on stderr for each reason, with all boards that have it.

    Args:
        told: Of each board its name, the reason and the remedy; without a reason there is nothing to say.
    """
    found: dict[str, list[str]] = {}
    for board, reason, remedy in told:
        if reason:
            words = "; ".join(filter(None, (unnamed(reason, board), remedy)))
            found.setdefault(words, []).append(board)
    for words, boards in found.items():
        say(f"edgenet: {', '.join(boards)}: {words}", err=True)
