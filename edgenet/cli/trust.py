"""``edgenet trust``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, remark, say, say_next
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
      edgenet trust --device pi@raspberrypi.local --key alice.pub
      edgenet trust --device pi --key ci.pub --name ci@team
      edgenet trust --device pi --list
      edgenet trust --fleet boards.toml --remove alice@team
    """
    _one_of(key, remove, off, listed)
    work = _work(key, name, remove, off)
    if boards.one is not None:
        return _one(boards.one, work, as_json)
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.devices.trust import Trusted

    verb = Verb("trust", _row, Trusted.to_table, key=(key or "", name, remove or "", str(off)))
    return on_each(boards, work, verb, as_json).exit_code


def _work(key: str | None, name: str, remove: str | None, off: bool) -> Callable[[Board, Progress], Trusted]:
    """What is done on a board; a key is read once, before any board is reached."""
    from edgenet.signatures.public_key import PublicKey
    from edgenet.steps.trust import trust as add
    from edgenet.steps.trust import trusted, untrust

    if key:
        public = PublicKey.load(key)
        return lambda board, tell: add(public, board, name, tell)
    if remove or off:
        return lambda board, tell: untrust(remove, board, tell)
    return trusted


def _one(board: Board, work: Callable[[Board, Progress], Trusted], as_json: bool) -> int:
    with progress() as on_progress:
        found = work(board, on_progress)
    if as_json:
        print_json(found.to_table())
    elif not found.asked:
        say(f"{board} asks for no signatures")
        say_next("trust", *named(board), "--key", "K.pub", why="to have it ask for them")
    else:
        rows = [[item.name, item.fingerprint] for item in found.keys]
        print_table(f"{board} makes current only what is signed by one of", ["name", "key"], rows)
        if found.refused:
            remark(f"what is current on {board} goes on running, but would be refused now: {found.refused}")
        say_next("deploy", "SIGNED.edgenet", *named(board))
    return 0


def _row(found: Trusted) -> dict[str, str]:
    trusted = ", ".join(item.name for item in found.keys)
    return {
        "trusts": trusted if found.asked else "asks for no signatures",
        "current": "would be refused now" if found.refused else "",
    }


def _one_of(key: str | None, remove: str | None, off: bool, listed: bool) -> None:
    if sum(map(bool, (key, remove, off, listed))) > 1:
        raise click.UsageError("--key, --remove, --off and --list exclude each other")
