"""``edgenet targets``."""

from __future__ import annotations

import click

from edgenet.cli.shared.names import MODEL, TARGET
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, say, say_next

__all__ = ["targets"]


@click.command()
@click.argument("name", required=False, type=TARGET, metavar="[NAME]")
@click.option("--model", type=MODEL, metavar="MODEL", help="Say what can be built of this model for NAME.")
@json_option
def targets(name: str | None, model: str | None, as_json: bool) -> None:
    """List the boards, or show one.

    NAME is one of the list, or the path of a TOML file.

    \b
    Example:
      edgenet targets
      edgenet targets raspberry-pi-4 --model mobilenet.onnx
    """
    from dataclasses import asdict

    from edgenet.library import names
    from edgenet.target import Target

    if name:
        _show(name, model, as_json)
        return
    if model:
        raise click.UsageError("--model needs the NAME of a board")
    boards = [Target.load(item) for item in names("target")]
    if as_json:
        print_json([asdict(board) for board in boards])
        return
    rows = [
        [board.name, board.title, board.cpu.core or board.cpu.machine, ", ".join(board.backends)]
        for board in boards
    ]
    print_table("", ["name", "board", "cpu", "backends, preferred first"], rows)
    say_next("compile", "MODEL", "--target", "NAME", "--calibration", "DIR")


def _show(name: str, model: str | None, as_json: bool) -> None:
    from dataclasses import asdict

    from edgenet.model import Model
    from edgenet.steps.plan import options
    from edgenet.steps.source import model_path
    from edgenet.target import Target

    target = Target.load(name)
    found = options(target, Model.load(model_path(model)) if model else None)
    if as_json:
        print_json({**asdict(target), "options": [asdict(option) for option in found]})
        return
    say(*_describe(target))
    rows = [[item.backend, item.precision, "yes" if item.possible else "no", item.why] for item in found]
    print_table("", ["backend", "precision", "builds", "why"], rows)
    say_next("compile", model or "MODEL", "--target", name, "--calibration", "DIR")


def _describe(target) -> list[str]:  # type: ignore[no-untyped-def]
    cpu = target.cpu
    lines = [
        f"{target.title} ({target.name})" + ("" if target.verified else ", not yet verified on a real board"),
        f"cpu      {cpu.cores} x {cpu.core or cpu.machine}, {cpu.machine}, {' '.join(cpu.isa) or 'base ISA'}",
    ]
    if target.memory_mb:
        lines.append(f"memory   {', '.join(map(str, target.memory_mb))} MB")
    return (
        lines
        + [f"note     {note}" for note in target.notes]
        + [f"source   {item}" for item in target.sources]
    )
