"""``edgenet rollback``."""

from __future__ import annotations

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, say, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["rollback"]


@click.command()
@boards_options
@click.option(
    "--to", metavar="DIGEST", help="A deployment that edgenet list shows.  [default: the one before]"
)
@json_option
def rollback(boards: Boards, to: str | None, as_json: bool) -> int:
    """Go back to an earlier deployment.

    It becomes the current one again. The board has it still: nothing of a model is sent, and no bundle is
    needed. It first checks the file byte for byte, and the runtime; where anything is missing or damaged,
    what is current stays so. Then one link is replaced. Rolling back twice leads to where you began.

    \b
    Example:
      edgenet rollback --device pi@raspberrypi.local
      edgenet rollback --device pi --to c3ae40ae712f
      edgenet rollback --fleet boards.toml --limit tag=kitchen
    """
    if boards.one is not None:
        return _one(boards.one, to, as_json)
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.fleets.rolling_back import rolling_back
    from edgenet.steps.deploy import Deployment

    def row(done: Deployment) -> dict[str, str]:
        return {"current": f"{done.name} ({done.digest[:12]})", "": "" if done.changed else "was so already"}

    verb = Verb("rollback", row, Deployment.to_table, key=(to or "",))
    return on_each(boards, rolling_back(to), verb, as_json).exit_code


def _one(board: Board, to: str | None, as_json: bool) -> int:
    from edgenet.steps.rollback import rollback as run

    with progress() as on_progress:
        done = run(board, to, on_progress)
    if as_json:
        print_json(done.to_table())
        return 0
    state = "is current again on" if done.changed else "was current already on"
    say(f"{done.name} ({done.digest[:12]}) {state} {board}; runtime {done.runtime}; {done.seconds:.1f} s")
    say_next("status", *named(board), why="what runs now, and how it came")
    return 0
