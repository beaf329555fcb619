"""``edgenet estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import named
from edgenet.cli.shared.made_for import made_for_options
from edgenet.cli.shared.options import (
    backend_option,
    json_option,
    model_argument,
    precision_option,
    python_option,
)
from edgenet.cli.shared.output import print_json, print_notes, say, say_next, say_wrapped

if TYPE_CHECKING:
    from edgenet.target import Target

__all__ = ["estimate"]


@click.command()
@model_argument
@made_for_options
@backend_option
@precision_option
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="Threads.  [default: what the target says]"
)
@python_option
@json_option
def estimate(
    model: str,
    target: Target | str,
    board: Board | None,
    backend: str | None,
    precision: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Estimate a model's speed without the board.

    MODEL is a model file, an embedded model, or a published network by its name: v1, v2, v3-small or
    v3-large with its width and resolution, such as v1-0.75-192.

    The estimate is a roofline from the board's data sheet, corrected by published measurements. It is marked
    ESTIMATED and never stands in for a measurement. Where the method missed published times that it had not
    seen by more than a factor of 1.5, it says that it cannot tell.

    \b
    Example:
      edgenet estimate mobilenet.onnx --target raspberry-pi-4
      edgenet estimate v1-0.75-192 --target raspberry-pi-4 --precision int8
    """
    from edgenet.steps.estimate import estimate as estimate_model
    from edgenet.zoo.named import named as published

    found = estimate_model(model, target, backend, precision, threads or 0)
    print_notes(found.notes)
    if as_json:
        print_json(found.to_table())
        return
    say_wrapped(found.words, f"{found.backend} {found.precision}: {found.why}")
    if found.roofline_ms is not None:
        say(f"ESTIMATED by the data sheet alone: {found.roofline_ms:.3g} ms")
    if found.remedy:
        say(found.remedy)
    untrained = published(model) is not None and not Path(model).exists()
    why = "your trained one, to measure it there" if untrained else "to measure it there"
    file = "MODEL" if untrained else model
    where = named(board) if board else ["--target", str(target)]
    say_next("compile", file, *where, "--calibration", "DIR", why=why)
