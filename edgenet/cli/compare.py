"""``edgenet compare``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, say_next
from edgenet.errors import EXIT_OVER_LIMIT

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
@click.option("--require-all", is_flag=True, help="Exit 4 if a board of fleet A is not measured in fleet B.")
@json_option
def compare(
    a: str,
    b: str,
    max_slowdown: float | None,
    min_fps: float | None,
    max_drift: float | None,
    max_memory: float | None,
    require_valid: bool,
    require_all: bool,
    as_json: bool,
) -> int:
    """Compare two reports, or two runs of a fleet.

    Says whether B is faster than A, slower, or whether the difference is within the noise; and what changed
    in memory and accuracy. Two reports must be of one model. Of two fleet reports, every board is compared
    with itself and judged alone; boards that are new or missing are told, and --require-valid asks for all
    of A's.

    \b
    Example:
      edgenet compare yesterday.json today.json
      edgenet compare main.json branch.json --max-slowdown 5 --require-valid
      edgenet compare fleet-main.json fleet.json --min-fps 24 --require-all
    """
    from edgenet.cli.shared.comparisons import show_comparison, show_fleets
    from edgenet.fleet_report import FleetReport
    from edgenet.steps.compare import compare as run
    from edgenet.steps.compare_fleets import FleetComparison, FleetGates, compare_fleets
    from edgenet.steps.taken import kind_of

    fleets = [kind_of(path) is FleetReport for path in (a, b)]
    if require_all and not any(fleets):
        raise click.UsageError("--require-all is about the boards of fleets; give two fleet reports")
    gates = FleetGates(max_slowdown, min_fps, max_drift, max_memory, require_valid, require_all)
    result = compare_fleets(a, b, gates) if all(fleets) else run(a, b, gates)
    if as_json:
        print_json(result.to_table())
    elif isinstance(result, FleetComparison):
        show_fleets(result, a, b)
        say_next("report", b, "--since", a, "-o", "fleet.html")
    else:
        show_comparison(result, a, b)
        say_next("report", a, b, "-o", "compared.html")
    return EXIT_OVER_LIMIT if result.over_limit else 0
