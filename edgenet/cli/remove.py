"""``edgenet remove``."""

from __future__ import annotations

import click

from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, say, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["remove"]


@click.command()
@click.argument("digest", metavar="DIGEST")
@boards_options
@click.option("--force", is_flag=True, help="Also the current one: the board then has none.")
@json_option
def remove(digest: str, boards: Boards, force: bool, as_json: bool) -> int:
    """Forget one deployment of a board.

    What it alone uses goes too. DIGEST is what edgenet list shows. The current one is not removed without
    --force.

    \b
    Example:
      edgenet remove c3ae40ae712f --device pi@raspberrypi.local
      edgenet remove c3ae40ae712f --fleet boards.toml
    """
    from edgenet.steps.remove import remove as run

    if boards.one is None:
        from edgenet.cli.shared.many import Verb, on_each

        def row(removed: tuple[str, ...]) -> dict[str, str]:
            return {"removed": ", ".join(removed)}

        verb = Verb("remove", row, lambda removed: {"removed": list(removed)}, key=(digest,))
        return on_each(boards, lambda board, tell: run(digest, board, force, tell), verb, as_json).exit_code
    with progress() as on_progress:
        removed = run(digest, boards.one, force, on_progress)
    if as_json:
        print_json({"removed": list(removed)})
    else:
        say(f"removed on {boards.one}: {', '.join(removed)}")
        say_next("list", *named(boards.one), why="what it still keeps")
    return 0
