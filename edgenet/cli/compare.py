"""``edgenet compare``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, say
from edgenet.errors import EXIT_OVER_LIMIT

__all__ = ["compare"]

LIMIT = click.FloatRange(min=0)


@click.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False), metavar="A")
@click.argument("b", type=click.Path(exists=True, dir_okay=False), metavar="B")
@click.option(
    "--max-slowdown", type=LIMIT, metavar="%", help="Exit 4 if b's median is slower by more percent."
)
@click.option("--min-fps", type=LIMIT, metavar="N", help="Exit 4 if b's pipeline is slower.")
@click.option(
    "--max-drift",
    type=LIMIT,
    metavar="PP",
    help="Exit 4 if b has lost more top-1 than a, in percentage points (without labels: changed answers).",
)
@click.option("--max-memory", type=LIMIT, metavar="MB", help="Exit 4 if b's process needs more at its peak.")
@json_option
def compare(
    a: str,
    b: str,
    max_slowdown: float | None,
    min_fps: float | None,
    max_drift: float | None,
    max_memory: float | None,
    as_json: bool,
) -> int:
    """Compare two reports of one model: faster, slower, or cannot tell.

    \b
    Example:
      edgenet compare yesterday.json today.json
      edgenet compare main.json branch.json --max-slowdown 5 --max-drift 0.5   # for CI
    """
    from edgenet.steps.compare import Gates
    from edgenet.steps.compare import compare as run
    from edgenet.views.figures import interval, number

    result = run(a, b, Gates(max_slowdown, min_fps, max_drift, max_memory))
    if as_json:
        print_json(result.to_table())
        return EXIT_OVER_LIMIT if result.over_limit else 0
    rows = [[row.name, number(row.a, 3), number(row.b, 3), number(row.ratio, 3, "x")] for row in result.rows]
    print_table(f"a = {a}, b = {b}", ["figure", "a", "b", "b / a"], rows)
    spread = (
        f"95 % interval {interval(result.interval, 3)}" if result.interval else "too few runs for an interval"
    )
    say(f"{result.verdict}: p50 ratio {result.p50_ratio:.3f} ({spread})")
    for note in result.notes:
        say(f"note: {note}")
    for gate in result.gates:
        mark = "kept" if gate.passed else "EXCEEDED"
        note = f" ({gate.note})" if gate.note else ""
        say(f"gate: {gate.name} {number(gate.value)}, asked {gate.limit:g}: {mark}{note}")
    return EXIT_OVER_LIMIT if result.over_limit else 0
