"""``edgenet compare``."""

from __future__ import annotations

import click

from edgenet.cli.options import json_option
from edgenet.cli.output import print_json, print_table

__all__ = ["compare"]


@click.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False), metavar="A")
@click.argument("b", type=click.Path(exists=True, dir_okay=False), metavar="B")
@json_option
def compare(a: str, b: str, as_json: bool) -> None:
    """Compare two reports of one model: faster, slower, or cannot tell.

    \b
    Example:
      edgenet compare yesterday.json today.json
    """
    from edgenet.steps.compare import compare as run
    from edgenet.views.figures import number

    result = run(a, b)
    if as_json:
        print_json(result.to_table())
        return
    rows = [[row.name, number(row.a, 3), number(row.b, 3), number(row.ratio, 3, "x")] for row in result.rows]
    print_table(f"a = {a}, b = {b}", ["figure", "a", "b", "b / a"], rows)
    low, high = result.interval
    click.echo(f"{result.verdict}: p50 ratio {result.p50_ratio:.3f} (95 % interval {low:.3f} to {high:.3f})")
    for note in result.notes:
        click.echo(f"note: {note}")
