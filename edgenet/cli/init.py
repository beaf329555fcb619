"""``edgenet init``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option, python_option
from edgenet.cli.shared.output import print_json, print_notes, say
from edgenet.cli.shared.progress import progress
from edgenet.library import names

__all__ = ["init"]


@click.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "--like",
    metavar="PRESET",
    help=f"Answer as a framework does: {', '.join(names('preset'))}; or a TOML file.",
)
@click.option(
    "--images",
    metavar="DIR",
    help="Labelled images: score the plausible answers on them, and propose the best.",
)
@click.option("--labels", metavar="F", help="Class names: text, CSV, JSON or a label map.")
@click.option("--accept", is_flag=True, help="Write what the images propose as the answer.")
@click.option("-o", "--output", metavar="MODEL.toml", help="Default: MODEL.toml beside it.")
@click.option("--force", is_flag=True, help="Write over a card that is there.")
@python_option
@json_option
def init(
    model: str,
    like: str | None,
    images: str | None,
    labels: str | None,
    accept: bool,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write MODEL.toml, the card that says how MODEL is fed and read (docs/preprocessing.md).

    What the file says is filled in. What only its trainer knows stands in the card as a question, with the
    choices and where to find the answer; edgenet compile refuses the card while one is open.

    \b
    Example:
      edgenet init mobilenet.onnx
      edgenet init mobilenet.onnx --like torchvision
      edgenet init flowers.onnx --like keras --images photos/
    """
    from edgenet.steps.init import init as run

    if accept and not images:
        raise click.UsageError("--accept needs --images")
    with progress() as on_progress:
        card = run(model, like, images, labels, output, accept, force, on_progress)
    print_notes(card.notes)
    if as_json:
        print_json(card.to_table())
        return
    say(*_summary(card, model))


def _summary(card, model: str) -> list[str]:  # type: ignore[no-untyped-def]
    lines = card.draft.lines
    read = [key for key, line in lines.items() if line.why.startswith("read")]
    shown = [f"{card.path}  read from the file: {', '.join(read)}"]
    if lines["task"].why.startswith("or "):
        shown.append(f"task = {lines['task'].value}, {lines['task'].why}")
    shown += _scores(card)
    if card.open:
        return [*shown, f'open: {", ".join(card.open)}; answer each "?" in {card.path}']
    return [*shown, f"next: edgenet compile {model} --target T --calibration DIR"]


def _scores(card) -> list[str]:  # type: ignore[no-untyped-def]
    """What the images say of what is open, and of what was answered where they say otherwise."""
    from edgenet.figures import share

    found = card.proposals
    if found is None or found.reason:
        return []
    shown = [found.summary, *(f"  {item.line}" for item in found.each if item.told or card.open)]
    return shown if found.given is None else [*shown, f"with the answers given: {share(found.given)}"]
