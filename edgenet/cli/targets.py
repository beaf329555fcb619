"""``edgenet targets``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.names import MODEL, TARGET
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_rows, say, say_next

if TYPE_CHECKING:
    from edgenet.steps.plan import Option
    from edgenet.target import Target

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
    print_rows((board.name, _line(board)) for board in boards)
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
    say(f"{target.title} ({target.name})" + ("" if target.verified else ", not yet verified on a real board"))
    print_rows(_rows(target))
    say("")
    say("Builds that are possible:")
    print_rows((f"{item.backend} {item.precision}", _told(item)) for item in found)
    say_next("compile", model or "MODEL", "--target", name, "--calibration", "DIR")


def _line(board: Target) -> str:
    return f"{board.title}: {board.cpu.core or board.cpu.machine}; {', '.join(board.backends)}"


def _told(option: Option) -> str:
    return "; ".join(filter(None, ("yes" if option.possible else "no", option.why)))


def _rows(target: Target) -> list[tuple[str, str]]:
    cpu = target.cpu
    features = " ".join(cpu.isa) or "base ISA"
    rows = [("cpu", f"{cpu.cores} × {cpu.core or cpu.machine}, {cpu.machine}, {features}")]
    if target.memory_mb:
        rows.append(("memory", f"{', '.join(map(str, target.memory_mb))} MB"))
    rows += [("note", note) for note in target.notes]
    return rows + [("source", item) for item in target.sources]
