"""``edgenet prune``."""

from __future__ import annotations

import click

from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, say, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["prune"]


@click.command()
@boards_options
@click.option(
    "--keep",
    type=click.IntRange(1, 1000),
    default=2,
    show_default=True,
    metavar="N",
    help="How many deployments stay, the current one among them.",
)
@json_option
def prune(boards: Boards, keep: int, as_json: bool) -> int:
    """Forget old deployments of a board.

    That frees space there. The current one always stays. What nothing uses any more goes too: runtimes,
    engines, and parts of transfers that were broken off.

    \b
    Example:
      edgenet prune --device pi@raspberrypi.local
      edgenet prune --keep 1 --fleet boards.toml
    """
    from edgenet.steps.prune import prune as run

    if boards.one is None:
        from edgenet.cli.shared.many import Verb, on_each

        def row(removed: tuple[str, ...]) -> dict[str, str]:
            return {"removed": ", ".join(removed) or "nothing"}

        verb = Verb("prune", row, lambda removed: {"removed": list(removed)}, key=(str(keep),))
        return on_each(boards, lambda board, tell: run(board, keep, tell), verb, as_json).exit_code
    with progress() as on_progress:
        removed = run(boards.one, keep, on_progress)
    if as_json:
        print_json({"removed": list(removed)})
    else:
        say(f"removed on {boards.one}: {', '.join(removed) or 'nothing'}")
        say_next("list", *named(boards.one), why="what it still keeps")
    return 0
