"""A fleet: a user's boards, by name, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgenet.address import Address
from edgenet.board import Board, BoardLike, board_of
from edgenet.errors import LibraryError
from edgenet.fleet_limit import limited
from edgenet.inventory import read_inventory
from edgenet.library import Table, find
from edgenet.notebook import Grid, Shown
from edgenet.pages import page
from edgenet.text import cause
from edgenet.text_file import read_text

__all__ = ["Fleet"]

MAX_BYTES = 4 << 20
INVENTORY = (
    f"correct it; of an Ansible inventory, give what ansible-inventory prints ({page('fleet', 'ansible')})"
)


@dataclass(frozen=True, repr=False)
class Fleet(Shown):
    """Boards by name.

    Attributes:
        name: Of the file, for people.
        boards: In the file's order.
        notes: What of the file is not used, and why.

    Examples:
        >>> boards = edgenet.Board("pi@a", tags=("kitchen",)), edgenet.Board("pi@b", tags=("roof",))
        >>> [str(board) for board in edgenet.Fleet.of(*boards).limited("tag=kitchen").boards]
        ['pi@a']
    """

    name: str
    boards: tuple[Board, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Its name and how many boards it has."""
        return f"<Fleet {self.name}: {len(self.boards)} boards>"

    def _title(self) -> str:
        return f"{self.name}: {len(self.boards)} boards"

    def _rows(self) -> Mapping[str, Any]:
        return {"not used": self.notes} if self.notes else {}

    def _grids(self) -> Sequence[Grid]:
        rows = [
            [str(board), board.device, board.target or "", ", ".join(board.tags), board.canary or ""]
            for board in self.boards
        ]
        return (Grid(("board", "device", "target", "tags", "canary"), rows),)

    @classmethod
    def load(cls, path: Path | str) -> Fleet:
        """Read a fleet's TOML file, or an Ansible inventory as ``ansible-inventory --list`` prints it.

        Raises:
            LibraryError: It cannot be read, a key is unknown or of the wrong type, or a board is there twice.
        """
        path = Path(path)
        text = read_text(path, LibraryError, "correct the file", MAX_BYTES)
        if text.lstrip().startswith("{"):
            return cls(path.stem, *read_inventory(text, str(path)))._known(path)
        try:
            table = Table(tomllib.loads(text), str(path))
        except (ValueError, RecursionError) as error:
            raise LibraryError(f"{path}: not a readable TOML file ({cause(error)})", INVENTORY) from None
        boards = [_board(name, Table(value, f"{path} [boards.{name}]")) for name, value in _boards(table)]
        table.done()
        return cls(path.stem, tuple(boards))._known(path)

    def _known(self, path: Path) -> Fleet:
        """With addresses that are some, and targets that there are, found from the folder of the file."""
        for board in self.boards:
            if Address.of(board.device) is None:
                what = f"{path}: {board}: device {board.device!r} is no address of a board"
                raise LibraryError(what, "write user@host, user@host:port or a host of your ssh config")
        return replace(self, boards=tuple(_with_target(board, path) for board in self.boards))

    @classmethod
    def of(cls, *boards: BoardLike) -> Fleet:
        """Boards that no file names.

        Raises:
            LibraryError: One is named twice.
        """
        return cls("boards", tuple(map(board_of, boards)))

    def limited(self, *limits: str) -> Fleet:
        """Of these boards those that are meant: ``"tag=kitchen"``, ``"kitchen-*"``, ``"!kitchen-2"``.

        Terms of one key (a name, ``tag``, ``target``, ``device``) add boards to each other, terms of
        different keys must all hold, and what a term with ``!`` matches is left out.

        Raises:
            LibraryError: A term is not one or matches no board, or nothing is left.
        """
        return replace(self, boards=limited(self.boards, limits, f"fleet {self.name}"))

    def __post_init__(self) -> None:
        """No board is there twice, neither by its name nor by its address."""
        names: set[str] = set()
        places: dict[tuple[str, str], str] = {}
        for board in self.boards:
            place = (board.device, board.home)
            if str(board) in names:
                raise LibraryError(f"fleet {self.name}: {board} is in it twice", "name each board once")
            if place in places:
                raise LibraryError(
                    f"fleet {self.name}: {places[place]} and {board} are both {board.device}",
                    "remove one of them, or correct its device",
                )
            names.add(str(board))
            places[place] = str(board)


def _with_target(board: Board, path: Path) -> Board:
    """A board whose target is a name that there is, or a file that is there."""
    if board.target is None:
        return board
    target = str(path.parent / board.target) if board.target.endswith(".toml") else board.target
    try:
        find("target", target)
    except LibraryError as error:
        raise LibraryError(f"{path}: {board}: {error.what}", error.remedy) from None
    return replace(board, target=target)


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
