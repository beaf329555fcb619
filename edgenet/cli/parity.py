"""``edgenet parity``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, say, say_next

__all__ = ["parity"]


@click.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False), metavar="A")
@click.argument("b", type=click.Path(exists=True, dir_okay=False), metavar="B")
@click.option("--images", metavar="DIR", help="Images to run.  [default: those in bundle A]")
@json_option
def parity(a: str, b: str, images: str | None, as_json: bool) -> None:
    """Check that two int8 builds answer alike.

    Runs bundles A and B of one model on this computer and counts the answers that differ. If some do, it
    names the first layer whose numbers differ.

    \b
    Example:
      edgenet parity tflite.edgenet onnxruntime.edgenet --images photos/val
    """
    from edgenet.steps.parity import parity as run

    found = run(a, b, images)
    if as_json:
        print_json(found.to_table())
        return
    say(f"{found.a} and {found.b} on {found.images} images")
    say(
        f"scores      {100 * found.identical:.2f} % of {found.scores} identical, "
        f"{100 * found.within_one:.2f} % within one step, largest difference {found.largest}"
    )
    say(f"answers     the same for {100 * found.agreement:.2f} % of images")
    if found.parts:
        say(
            f"layers      {found.parts.layer} is the first of {found.layers} that differs: "
            f"{100 * found.parts.differing:.3g} % of its numbers, by up to {found.parts.largest}"
        )
    else:
        say(f"layers      none of {found.layers} differs")
    say_next("deploy", a, b, "--device", "D", why="keeps the faster one")
