"""The board that something is made for: by the name of its kind, or as it is, asked there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import home_option
from edgenet.cli.shared.names import DEVICE, TARGET
from edgenet.cli.shared.progress import progress

__all__ = ["made_for_options"]

_F = TypeVar("_F", bound=Callable[..., Any])


def made_for_options(function: _F) -> _F:
    """What something is made for, as ``target``, and the board that was asked, or ``None``, as ``board``."""

    @functools.wraps(function)
    def run(*args: Any, target: str | None, device: str | None, board_home: str | None, **given: Any) -> Any:
        if target is not None and device is not None:
            raise click.UsageError("--target and --device both say what it is made for: give one of them")
        if target is not None:
            return function(*args, target=target, board=None, **given)
        if device is None:
            raise click.UsageError("name a board: --target T, or --device D to ask the board what it is")
        board = Board(device, home=board_home or "")
        return function(*args, target=_asked(board), board=board, **given)

    return _target(_device(home_option(run)))  # type: ignore[return-value]


def _asked(board: Board) -> Any:
    from edgenet.steps.own_target import own_target

    with progress() as on_progress:
        return own_target(board, on_progress)


_target = click.option(
    "--target",
    type=TARGET,
    metavar="T",
    help="The kind of board: a name that edgenet targets lists, or a TOML file.",
)
_device = click.option(
    "--device",
    type=DEVICE,
    metavar="D",
    help="In place of --target: ask this board what it is (local, user@host[:port], or a host of your ssh "
    "config).",
)
