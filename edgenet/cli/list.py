"""``edgenet list``."""

from __future__ import annotations

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, say, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["list"]


@click.command("list")
@boards_options
@json_option
def list(boards: Boards, as_json: bool) -> int:
    """List the deployments that a board keeps.

    The newest comes first. Each can become the current one again at once: edgenet rollback --to DIGEST.

    \b
    Example:
      edgenet list --device pi@raspberrypi.local
      edgenet list --fleet boards.toml --json
    """
    if boards.one is not None:
        return _one(boards.one, as_json)
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.devices.upkeep_answers import BoardStatus
    from edgenet.steps.status import status as run

    def row(found: BoardStatus) -> dict[str, str]:
        names = [f"{item.name} ({item.digest[:12]})" for item in found.deployments]
        return {"kept": str(len(names)), "deployments, the newest first": ", ".join(names) or "–"}

    verb = Verb("list", row, _table)
    return on_each(boards, lambda board, tell: run(board, tell, 0), verb, as_json).exit_code


def _one(board: Board, as_json: bool) -> int:
    from edgenet.cli.shared.status_lines import KEPT_HEADS, kept_rows
    from edgenet.steps.status import status as run

    with progress() as on_progress:
        found = run(board, on_progress, 0)
    if as_json:
        print_json(_table(found))
    elif found.deployments:
        print_table("", KEPT_HEADS, kept_rows(found))
        say_next("rollback", *named(board), "--to", "DIGEST", why="make another one current")
    else:
        say(f"nothing is deployed on {board}")
        say_next("deploy", "BUNDLE", *named(board))
    return 0


def _table(found) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return {
        "current": found.current.digest if found.current else None,
        "previous": found.previous.digest if found.previous else None,
        "deployments": [item.to_table() for item in found.deployments],
    }
