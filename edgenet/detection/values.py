"""Values of a card's tables: whether one is a number, a name or a list of such, within bounds."""

from __future__ import annotations

from typing import Any

from edgenet.text import UNPRINTABLE

__all__ = ["is_name", "is_number", "is_whole", "listed"]

MAX_NAME = 512


def is_number(value: object, least: float, most: float) -> bool:
    """Whether it is a finite number within bounds; ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def is_whole(value: object, least: int, most: int) -> bool:
    """Whether it is a whole number within bounds."""
    return isinstance(value, int) and is_number(value, least, most)


def is_name(value: object) -> bool:
    """Whether it is a short printable text."""
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME and not UNPRINTABLE.search(value)


def listed(value: object) -> list[Any] | None:
    """A list or tuple as a list; ``None`` of anything else."""
    return list(value) if isinstance(value, list | tuple) else None
