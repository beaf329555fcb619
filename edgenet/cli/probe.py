"""``edgenet probe``."""

from __future__ import annotations

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_rows, print_table, remark, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress

__all__ = ["probe"]


@click.command()
@boards_options
@click.option(
    "--save",
    type=OUTPUT_FILE,
    metavar="FILE.toml",
    help="Write a target file for this board, which --target takes.",
)
@click.option("--all", "everything", is_flag=True, help="Print every fact, by its name in the JSON.")
@json_option
def probe(boards: Boards, save: str | None, everything: bool, as_json: bool) -> int:
    """Ask a board what it is and has.

    Prints its processor, memory, system, Python, runtimes, cameras and temperature, and which target fits it.

    \b
    Example:
      edgenet probe --device pi@raspberrypi.local
      edgenet probe --device pi --save my-board.toml
      edgenet probe --fleet boards.toml
    """
    if boards.one is not None:
        return _one(boards.one, save, everything, as_json)
    if save or everything:
        raise click.UsageError(f"{'--save' if save else '--all'} is for one board: give one --device")
    return _many(boards, as_json)


def _many(boards: Boards, as_json: bool) -> int:
    from edgenet.cli.shared.board_lines import board_cells
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.fleets.probing import Probed, probing

    verb = Verb("probe", lambda found: board_cells(found.facts, found.match), Probed.to_table)
    return on_each(boards, probing(), verb, as_json).exit_code


def _one(board: Board, save: str | None, everything: bool, as_json: bool) -> int:
    from edgenet.cli.shared.board_lines import board_lines
    from edgenet.steps.probe import board_target, write_target
    from edgenet.steps.probe import probe as run

    with progress() as on_progress:
        facts = run(board, on_progress)
    target = board_target(facts, board.device)
    if save:
        write_target(save, facts)
        remark(f"wrote {save}")
    if as_json:
        print_json({**facts.to_table(), "target": target.to_table()})
        return 0
    if everything:
        known = facts.to_table().items()
        rows = [[name, _text(value, facts.absent.get(name))] for name, value in known if name != "absent"]
        print_table(f"{board}: {target}", ["fact", "value"], rows)
    else:
        print_rows(board_lines(facts, target))
    if save or target.target:
        say_next("compile", "MODEL", "--target", save or str(target.target), "--calibration", "DIR")
    else:
        say_next("probe", *named(board), "--save", "my-board.toml", why="no target fits: make one")
    return 0


def _text(value: object, why: str | None = None) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "–"
    if value is None:
        return f"– ({why})" if why else "–"
    return str(value)
