"""``edgenet init``."""

from __future__ import annotations

import click

from edgenet.cli.shared.names import PRESET
from edgenet.cli.shared.options import json_option, labels_option, model_argument, python_option
from edgenet.cli.shared.output import print_json, print_notes, say, say_hint, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress
from edgenet.library import names
from edgenet.pages import page

__all__ = ["init"]


@click.command()
@model_argument
@click.option(
    "--like",
    type=PRESET,
    metavar="PRESET",
    help=f"Feed it as a framework does: {', '.join(names('preset'))}, or a TOML file.",
)
@click.option(
    "--images",
    metavar="DIR",
    help="Labeled images: try the plausible answers on them, and propose the best.",
)
@labels_option
@click.option("--accept", is_flag=True, help="Write what the images propose into the card.")
@click.option(
    "-o", "--output", type=OUTPUT_FILE, metavar="MODEL.toml", help="[default: MODEL.toml beside it]"
)
@click.option("--force", is_flag=True, help="Overwrite an existing card.")
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
    """Write a model's card: how it is fed.

    The card MODEL.toml says how images become the model's input, and what its output means. What the model
    file tells is filled in. What only its author knows is left as a question, with the choices and where to
    look; edgenet compile refuses a card with open questions.

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
    say(*_summary(card))
    if card.open and card.proposals and not accept and any(item.told for item in card.proposals.each):
        say_hint("the same command with --accept --force, which writes what the images propose into the card")
    elif card.open:
        say_hint(f"edit {card.path}; {page('preprocessing')} explains each key")
    else:
        say_next("compile", model, "--target", "T", "--calibration", "DIR")


def _summary(card) -> list[str]:  # type: ignore[no-untyped-def]
    lines = card.draft.lines
    read = [key for key, line in lines.items() if line.why.startswith("read")]
    shown = [f"{card.path}  read from the file: {', '.join(read)}"]
    if lines["task"].why.startswith("or "):
        shown.append(f"task = {lines['task'].value}, {lines['task'].why}")
    shown += _scores(card)
    return [*shown, f'open: {", ".join(card.open)}; answer each "?" in {card.path}'] if card.open else shown


def _scores(card) -> list[str]:  # type: ignore[no-untyped-def]
    """What the images say of what is open, and of what was answered where they say otherwise."""
    from edgenet.figures import share

    found = card.proposals
    if found is None or found.reason:
        return []
    shown = [found.summary, *(f"  {item.line}" for item in found.each if item.told or card.open)]
    return shown if found.given is None else [*shown, f"with the answers given: {share(found.given)}"]
