"""``edgenet estimate``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option, python_option
from edgenet.cli.shared.output import print_json, print_notes, say

__all__ = ["estimate"]


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--target", required=True, metavar="T", help="The board: a name of targets, or a TOML file.")
@click.option("--backend", metavar="B", help="Default: the one that the board prefers.")
@click.option("--precision", metavar="P", help="Default: the board's.")
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="N", help="Default: what the board's file says."
)
@python_option
@json_option
def estimate(
    model: str, target: str, backend: str | None, precision: str | None, threads: int | None, as_json: bool
) -> None:
    """Estimate how long MODEL takes on a board that is not at hand: ESTIMATED, never measured.

    MODEL is a file, an embedded model, or a network of the papers by its name: v1, v2, v3-small or v3-large,
    its width and its resolution. A roofline of the board's data sheet is corrected by published times. Where
    published times that were left out were missed by more than 1.5, it says that it cannot tell.

    \b
    Example:
      edgenet estimate mobilenet.onnx --target raspberry-pi-4
      edgenet estimate v1-0.75-192 --target raspberry-pi-zero-2w --precision int8 --json
    """
    from edgenet.steps.estimate import estimate as estimate_model

    found = estimate_model(model, target, backend, precision, threads or 0)
    print_notes(found.notes)
    if as_json:
        print_json(found.to_table())
        return
    say(found.words, f"{found.backend} {found.precision}: {found.why}")
    if found.roofline_ms is not None:
        say(f"ESTIMATED by the data sheet alone: {found.roofline_ms:.3g} ms")
    if found.remedy:
        say(found.remedy)
