"""``edgenet trust``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.boards import Boards, boards_options
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, remark, say
from edgenet.cli.shared.progress import progress

if TYPE_CHECKING:
    from edgenet.board import Board
    from edgenet.devices.trust import Trusted
    from edgenet.progress import Progress

__all__ = ["trust"]


@click.command()
@boards_options
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False),
    metavar="K.pub",
    help="Trust this Ed25519 public key.",
)
@click.option("--name", default="", metavar="N", help="What the key is called there.  [default: its comment]")
@click.option("--remove", metavar="N", help="Trust the key of this name, or SHA256:..., no longer.")
@click.option("--off", is_flag=True, help="Forget all keys, and ask for no signatures any more.")
@click.option("--list", "listed", is_flag=True, help="Only show whom the board trusts; the default.")
@json_option
def trust(
    boards: Boards, key: str | None, name: str, remove: str | None, off: bool, listed: bool, as_json: bool
) -> int:
    """Say whose signatures a board asks for.

    From its first trusted key on, a board makes only bundles current that one of its keys signed (edgenet
    sign), by deploy, rollout and rollback alike. It verifies them itself, with ssh-keygen of OpenSSH 8.1 or
    newer. Whoever can log in as its user can change its keys: this guards against wrong and altered bundles,
    not against them.

    \b
    Example:
      edgenet trust --device pi@raspberrypi.local --key alice.pub --name alice@team
      edgenet trust --device pi --list
      edgenet trust --device pi --remove alice@team
    """
    _one_of(key, remove, off, listed)
    from edgenet.steps.trust import trust as add
    from edgenet.steps.trust import trusted, untrust

    def work(board: Board, tell: Progress) -> Trusted:
        if key:
            return add(key, board, name, tell)
        if remove or off:
            return untrust(remove, board, tell)
        return trusted(board, tell)

    if boards.one is None:
        return _on_many(boards, work, as_json)
    with progress() as on_progress:
        found = work(boards.one, on_progress)
    if as_json:
        print_json(found.to_table())
    else:
        _show(found, str(boards.one))
    return 0


def _on_many(boards: Boards, work: Callable[[Board, Progress], Trusted], as_json: bool) -> int:
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.devices.trust import Trusted

    def row(found: Trusted) -> dict[str, str]:
        return {"trusts": ", ".join(key.name for key in found.keys) or "asks for no signatures"}

    return on_each(boards, work, Verb("trust", row, Trusted.to_table), as_json).exit_code


def _show(found: Trusted, board: str) -> None:
    if not found.asked:
        say(f"{board} asks for no signatures")
        return
    rows = [[item.name, item.fingerprint] for item in found.keys]
    print_table(f"{board} makes current only what is signed by one of", ["name", "key"], rows)
    if found.refused:
        remark(f"what is current on {board} goes on running, but would be refused now: {found.refused}")


def _one_of(key: str | None, remove: str | None, off: bool, listed: bool) -> None:
    if sum(map(bool, (key, remove, off, listed))) > 1:
        raise click.UsageError("--key, --remove, --off and --list exclude each other")
