"""The boards that a command works on: one, several, or those of a fleet."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from edgenet.board import Board
from edgenet.cli.shared.names import DEVICE
from edgenet.cli.shared.output import print_notes

if TYPE_CHECKING:
    from edgenet.fleet import Fleet

__all__ = ["Boards", "board_option", "boards_options", "home_option", "named", "rollout_boards_options"]

_F = TypeVar("_F", bound=Callable[..., Any])

# A multiple option's value; what the user wrote without any.
HERE = ("local",)


@dataclass(frozen=True)
class Boards:
    """What ``--device``, ``--fleet`` and their kin say.

    Attributes:
        fleet: All of them.
        one: The board where exactly one was named, and no fleet: the command then is about it alone.
        at_once: How many are worked on at the same time.
        retry: Whether only those are meant on which the command failed the last time.
        file: The fleet's, where there is one.
        words: What names the same boards again on a command line.
    """

    fleet: Fleet
    one: Board | None
    at_once: int
    retry: bool
    file: Path | None
    words: tuple[str, ...]

    @property
    def source(self) -> str:
        """What names this fleet, for what is remembered of it."""
        devices = " ".join(board.device for board in self.fleet.boards)
        return devices if self.file is None else str(self.file.resolve())


def board_option(function: _F) -> _F:
    """The one board that a command works on, as ``board``."""

    @functools.wraps(function)
    def run(*args: Any, device: str, board_home: str | None, **given: Any) -> Any:
        return function(*args, board=Board(device, home=board_home or ""), **given)

    return _device(False)(home_option(run))  # type: ignore[no-any-return]


def boards_options(function: _F) -> _F:
    """The boards that a command works on, as ``boards``."""
    return _with_boards(function, _device(True), _fleet, _limit, _at_once, _retry, home_option)


def rollout_boards_options(function: _F) -> _F:
    """As :func:`boards_options`, for a command that itself remembers where it is not done."""
    return _with_boards(function, _device(True), _fleet, _limit, _at_once, home_option)


def _with_boards(function: _F, *options: Callable[[Any], Any]) -> _F:
    @functools.wraps(function)
    def run(*args: Any, retry: bool = False, **given: Any) -> Any:
        names = ("device", "fleet", "limits", "board_home", "at_once")
        boards = _boards(**{name: given.pop(name) for name in names}, retry=retry)
        return function(*args, boards=boards, **given)

    for option in reversed(options):
        run = option(run)
    return run  # type: ignore[return-value]


def named(board: Board) -> list[str]:
    """The words that name a board again on a command line."""
    return ["--device", board.device, *(["--board-home", board.home] if board.home else [])]


def _boards(
    device: tuple[str, ...],
    fleet: str | None,
    limits: tuple[str, ...],
    board_home: str | None,
    at_once: int | None,
    retry: bool,
) -> Boards:
    from edgenet.fleet import Fleet
    from edgenet.fleets.each import AT_ONCE

    file = _file(fleet)
    if file is None:
        if limits:
            raise click.UsageError("--limit chooses within a fleet: give --fleet FILE")
        found = Fleet.of(*device)
    else:
        found = Fleet.load(file)
        print_notes(found.notes)
        found = found.limited(*limits)
    if board_home is not None:
        found = replace(found, boards=tuple(replace(board, home=board_home) for board in found.boards))
    one = found.boards[0] if file is None and len(device) == 1 else None
    if retry and one is not None:
        raise click.UsageError("--retry chooses of several boards: give --fleet FILE, or --device again")
    words = (*_options("--fleet", file), *_options("--limit", *limits))
    words = (*(words or _options("--device", *device)), *_options("--board-home", board_home))
    return Boards(found, one, at_once or AT_ONCE, retry, Path(file) if file else None, words)


def _options(name: str, *values: str | None) -> tuple[str, ...]:
    return tuple(word for value in values if value is not None for word in (name, value))


def _file(fleet: str | None) -> str | None:
    """The fleet's file, where it is what is meant: what is typed goes before what the environment says."""
    context = click.get_current_context()
    devices, file = map(context.get_parameter_source, ("device", "fleet"))
    if fleet is None or devices == ParameterSource.DEFAULT:
        return fleet
    if devices == file:
        raise click.UsageError(
            "--device and --fleet both say which boards: give one; --limit chooses within a fleet"
        )
    return fleet if file == ParameterSource.COMMANDLINE else None


def _device(several: bool) -> Callable[[Any], Any]:
    return click.option(
        "--device",
        default=HERE if several else HERE[0],
        multiple=several,
        show_default=HERE[0],
        envvar="EDGENET_DEVICE",
        show_envvar=True,
        type=DEVICE,
        metavar="D",
        help="The board: local, user@host[:port], or a host of your ssh config."
        + (" May be repeated." if several else ""),
    )


_fleet = click.option(
    "--fleet",
    envvar="EDGENET_FLEET",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Many boards: a TOML file, or what ansible-inventory --list prints.",
)
_limit = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="L",
    help="Only these boards of the fleet: a name, tag=T, target=T or device=D, with * and ?; !L leaves out.",
)
_at_once = click.option(
    "--at-once",
    type=click.IntRange(1, 256),
    metavar="N",
    help="How many boards are worked on at the same time.  [default: 8]",
)
_retry = click.option(
    "--retry", is_flag=True, help="Only the boards on which this command failed the last time."
)
home_option = click.option(
    "--board-home",
    metavar="PATH",
    help="The folder on the board that holds all of edgenet's.  [default: ~/.edgenet]",
)
