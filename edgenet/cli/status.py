"""``edgenet status``."""

from __future__ import annotations

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_rows, print_table, remark, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["status"]

# Lines of the history that people are shown.
LINES = 10


@click.command()
@boards_options
@click.option("--history", "everything", is_flag=True, help="Print all of the board's history that it tells.")
@json_option
def status(boards: Boards, everything: bool, as_json: bool) -> int:
    """Ask a board what is deployed on it.

    Prints its current deployment and the one before, the runtime, the last report that edgenet profile left
    there, temperature, free space, and the end of its history: who did what from which machine, by the clock
    of that machine and by the board's own. Nothing is changed.

    \b
    Example:
      edgenet status --device pi@raspberrypi.local
      edgenet status --device pi --history
      edgenet status --fleet boards.toml --json
    """
    if boards.one is not None:
        return _one(boards.one, everything, as_json)
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.cli.shared.status_lines import status_cells
    from edgenet.devices.upkeep_answers import BoardStatus
    from edgenet.steps.status import status as run

    verb = Verb("status", status_cells, BoardStatus.to_table)
    return on_each(boards, run, verb, as_json).exit_code


def _one(board: Board, everything: bool, as_json: bool) -> int:
    from edgenet.cli.shared.status_lines import HISTORY_HEADS, clock_note, history_rows, status_lines
    from edgenet.steps.status import status as run

    with progress() as on_progress:
        found = run(board, on_progress, 200)
    if as_json:
        print_json(found.to_table())
        return 0
    print_rows(status_lines(found))
    rows = history_rows(found)
    if rows:
        print_table("", HISTORY_HEADS, rows if everything else rows[:LINES])
    if note := clock_note(found):
        remark(note)
    if found.previous is not None:
        say_next("rollback", *named(board), why=f"back to {found.previous.name}")
    return 0
