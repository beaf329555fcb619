"""``edgenet compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, say_next, say_wrapped
from edgenet.errors import EXIT_OVER_LIMIT

if TYPE_CHECKING:
    from edgenet.steps.compare import Row

__all__ = ["compare"]

LIMIT = click.FloatRange(min=0)


@click.command()
@click.argument("a", type=click.Path(exists=True, dir_okay=False), metavar="A")
@click.argument("b", type=click.Path(exists=True, dir_okay=False), metavar="B")
@click.option(
    "--max-slowdown",
    type=LIMIT,
    metavar="%",
    help="Exit 4 if B's median latency is longer by more.",
)
@click.option("--min-fps", type=LIMIT, metavar="N", help="Exit 4 if B's pipeline is slower than N FPS.")
@click.option(
    "--max-drift",
    type=LIMIT,
    metavar="PP",
    help="Exit 4 if B loses more than A by so many percentage points of top-1, or of what the task measures "
    "(without labels: of changed answers).",
)
@click.option(
    "--max-memory",
    type=LIMIT,
    metavar="MB",
    help="Exit 4 if B's process needs more at its peak.",
)
@click.option("--require-valid", is_flag=True, help="Exit 4 unless both reports are VALID.")
@json_option
def compare(
    a: str,
    b: str,
    max_slowdown: float | None,
    min_fps: float | None,
    max_drift: float | None,
    max_memory: float | None,
    require_valid: bool,
    as_json: bool,
) -> int:
    """Compare two reports of one model.

    Says whether B is faster than A, slower, or whether the difference is within the noise; and what changed
    in memory and accuracy.

    \b
    Example:
      edgenet compare yesterday.json today.json
      edgenet compare main.json branch.json --max-slowdown 5 --require-valid
    """
    from edgenet.figures import interval, number
    from edgenet.steps.compare import Gates
    from edgenet.steps.compare import compare as run

    result = run(a, b, Gates(max_slowdown, min_fps, max_drift, max_memory, require_valid))
    if as_json:
        print_json(result.to_table())
        return EXIT_OVER_LIMIT if result.over_limit else 0
    rows = [[row.name, number(row.a, 3), number(row.b, 3), _change(row)] for row in result.rows]
    print_table(f"a = {a}, b = {b}", ["figure", "a", "b", "b to a"], rows)
    spread = (
        f"95 % interval {interval(result.interval, 3)}" if result.interval else "too few runs for an interval"
    )
    say_wrapped(f"{result.verdict}: p50 ratio {result.p50_ratio:.3f} ({spread})")
    for note in result.notes:
        say_wrapped(f"note: {note}")
    for gate in result.gates:
        note = f" ({gate.note})" if gate.note else ""
        say_wrapped(f"gate: {gate.words}{note}")
    say_next("report", a, b, "-o", "compared.html")
    return EXIT_OVER_LIMIT if result.over_limit else 0


def _change(row: Row) -> str:
    """A ratio, or of shares a difference."""
    from edgenet.figures import number

    return number(row.ratio, 3, "x") if row.difference is None else f"{row.difference:+.2f} pp"
