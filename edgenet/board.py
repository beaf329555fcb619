"""A board as its user reaches it: an address, and what is known of it before it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from edgenet.errors import LibraryError
from edgenet.notebook import Shown

__all__ = ["Board", "BoardLike", "board_of"]


@dataclass(frozen=True)
class Board(Shown):
    """One board.

    Attributes:
        device: "local", ``user@host[:port]`` or an alias of the user's ssh config.
        target: What it is, by the name or path of a target; ``None`` to ask the board.
        name: What people call it; the device where it is empty.
        tags: Words by which boards are chosen.
        canary: Its place among those that a rollout tries first, from 1; ``None`` for none.
        home: The folder there that holds all of edgenet's, in place of ``$EDGENET_HOME`` or ``~/.edgenet``;
            absolute, or beginning with ``~/``.
        python: The Python there, in place of the first that fits.
        ssh_options: Words for ssh before the destination, such as ``-i FILE``.
        asks: Whether ssh may ask a person, where one sits at a terminal.

    Examples:
        >>> str(edgenet.Board("pi@192.168.7.11:2222", name="kitchen-1", home="/data/edgenet"))
        'kitchen-1'
    """

    device: str
    target: str | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    canary: int | None = None
    home: str = ""
    python: str = ""
    ssh_options: tuple[str, ...] = ()
    asks: bool = True

    def __post_init__(self) -> None:
        for what, path in (("home", self.home), ("python", self.python)):
            if path and not (_whole(path) and path.isprintable()):
                raise LibraryError(
                    f"{self}: {what} {path!r} is not the full path of a place on the board",
                    "begin it with / or ~/",
                )

        if self.canary is not None and self.canary < 1:
            raise LibraryError(f"{self}: canary {self.canary} is no place in an order", "count from 1")

    def __str__(self) -> str:
        """What people call it."""
        return self.name or str(self.device)


# What names a board: it, or its device.
BoardLike = Board | str


def board_of(given: BoardLike) -> Board:
    """A board; whether its device is a name, only a connection tells."""
    return given if isinstance(given, Board) else Board(given)


def _whole(path: str) -> bool:
    return path.startswith("~/") or PurePosixPath(path).is_absolute()
