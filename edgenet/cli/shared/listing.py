"""Recipes and protocols in the terminal: all of them, or one with all its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edgenet.cli.shared.output import print_json, print_table, say

__all__ = ["show_listing"]


class Entry(Protocol):
    """A file of the library, read."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def summary(self) -> str:
        """What it is for, in one line."""

    def to_table(self) -> dict[str, Any]:
        """All its values, JSON-ready."""


def show_listing(kind: str, load: Callable[[str], Entry], name: str | None, as_json: bool) -> None:
    """Print every file of a kind, or one.

    Args:
        kind: Of :mod:`edgenet.library`.
        load: Reads one.
        name: Of that which is shown; ``None`` for a list of all.
        as_json: As JSON.

    Raises:
        LibraryError: There is no such file, or it is not valid.
    """
    if name:
        _one(load(name), as_json)
    else:
        from edgenet.library import names

        found = [load(item) for item in names(kind)]
        if as_json:
            print_json([item.to_table() for item in found])
        else:
            print_table("", ["name", "what for"], [[item.name, item.summary] for item in found])


def _one(entry: Entry, as_json: bool) -> None:
    values = entry.to_table()
    if as_json:
        print_json(values)
        return
    say(f"{entry.name}: {entry.summary}")
    rows = {key: _text(value) for key, value in values.items() if key not in ("name", "summary")}
    width = max(map(len, rows))
    say(*(f"  {key:{width}}  {text}" for key, text in rows.items()))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
