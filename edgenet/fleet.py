"""A fleet: a user's boards, by name, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.board import Board
from edgenet.errors import LibraryError
from edgenet.library import Table
from edgenet.notebook import Shown
from edgenet.text import cause
from edgenet.text_file import read_text

__all__ = ["Fleet"]

MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Fleet(Shown):
    """Boards by name.

    Attributes:
        name: Of the file, for people.
        boards: In the file's order.
        notes: What of the file is not used, and why.
    """

    name: str
    boards: tuple[Board, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path | str) -> Fleet:
        """Read a fleet's TOML file.

        Raises:
            LibraryError: It cannot be read, a key is unknown or of the wrong type, or a board is there twice.
        """
        path = Path(path)
        text = read_text(path, LibraryError, "correct the file", MAX_BYTES)
        try:
            table = Table(tomllib.loads(text), str(path))
        except (ValueError, RecursionError) as error:
            raise LibraryError(f"{path}: not a readable TOML file ({cause(error)})", "correct it") from None
        boards = [_board(name, Table(value, f"{path} [boards.{name}]")) for name, value in _boards(table)]
        table.done()
        return cls(path.stem, tuple(boards))


def _boards(table: Table) -> Sequence[tuple[str, Mapping[str, Any]]]:
    found = table.table("boards").rest()
    wrong = [name for name, value in found.items() if not isinstance(value, dict)]
    if wrong or not found:
        what = f"boards.{wrong[0]} is not a table" if wrong else "there are no boards in it"
        raise LibraryError(f"{table.where}: {what}", 'write [boards.NAME] and below it device = "user@host"')
    return list(found.items())


def _board(name: str, table: Table) -> Board:
    board = Board(
        device=table.take("device", str, name),
        target=table.take("target", str, None),
        name=name,
        tags=table.texts("tags"),
        canary=table.number("canary", int, None),
        home=table.take("home", str, ""),
        python=table.take("python", str, ""),
    )
    table.done()
    return board
