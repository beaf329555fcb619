"""``edgenet doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import backend_option, index_option, json_option
from edgenet.cli.shared.output import print_json, print_rows, say_next
from edgenet.cli.shared.progress import progress
from edgenet.progress import Progress

if TYPE_CHECKING:
    from edgenet.steps.doctor import Condition

__all__ = ["doctor"]

STATES = {"not": "not ok"}


@click.command()
@boards_options
@backend_option
@index_option
@json_option
def doctor(boards: Boards, backend: str | None, as_json: bool) -> int:
    """Check whether a board is ready.

    Prints each requirement as ok, not ok, unknown or not applicable, and how to fix what is not ok. Changes
    nothing on the board. With --backend, checks only what that runtime needs.

    Exits with 0 if nothing is wrong, 1 if something is, 3 if the board cannot be reached.

    \b
    Example:
      edgenet doctor --device pi@raspberrypi.local
      edgenet doctor --device jetson --backend tensorrt --json
      edgenet doctor --fleet boards.toml
    """
    if boards.one is not None:
        return _one(boards.one, backend, as_json)
    return _many(boards, backend, as_json)


def _many(boards: Boards, backend: str | None, as_json: bool) -> int:
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.steps.doctor import Examination
    from edgenet.steps.doctor import doctor as run

    def row(found: Examination) -> dict[str, str]:
        board = next((item.found for item in found.conditions if item.name == "board"), "")
        return {"ready": "yes" if found.exit_code == 0 else "no", "it is": board}

    def reason(found: Examination) -> str:
        wrong = [item for item in found.conditions if item.state == "not"]
        if not found.reached:
            return "; ".join(f"{item.found}; {item.remedy}" for item in wrong)
        return "; ".join(f"{item.name}: {item.found}; {item.remedy}" for item in wrong)

    def work(board: Board, tell: Progress) -> Examination:
        tell("connecting", 0, None)
        return run(board, backend, tell)

    verb = Verb("doctor", row, Examination.to_table, lambda found: found.exit_code, reason)
    return on_each(boards, work, verb, as_json).exit_code


def _one(board: Board, backend: str | None, as_json: bool) -> int:
    from edgenet.steps.doctor import doctor as run

    with progress() as on_progress:
        found = run(board, backend, on_progress)
    if as_json:
        print_json(found.to_table())
        return found.exit_code
    print_rows(_row(item) for item in found.conditions)
    if found.exit_code == 0:
        say_next("deploy", "BUNDLE", *named(board))
    else:
        say_next("doctor", *named(board), why="again, once that is fixed")
    return found.exit_code


def _row(item: Condition) -> tuple[str, str, str]:
    found = f"{item.found}; {item.remedy}" if item.remedy else item.found
    return STATES.get(item.state, item.state), item.name, found
