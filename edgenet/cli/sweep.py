"""``edgenet sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.names import BACKEND, DEVICE, PRECISION, PROTOCOL, RECIPE, SWEEP
from edgenet.cli.shared.options import cache_option, json_option
from edgenet.cli.shared.output import print_json, print_notes
from edgenet.cli.shared.outputs import OUTPUT_FOLDER
from edgenet.cli.shared.progress import progress
from edgenet.errors import EXIT_FAILED

if TYPE_CHECKING:
    from edgenet.sweeps.plan import SweepPlan

__all__ = ["sweep"]


@click.command()
@click.argument("what", nargs=-1, type=SWEEP, metavar="[PLAN | MODEL… | FAMILY…]")
@click.option(
    "--device", "devices", multiple=True, type=DEVICE, metavar="D", help="A board; may be repeated."
)
@click.option("--calibration", metavar="DIR", help="Typical images, for int8.")
@click.option("--val", metavar="DIR", help="Labeled images that the models are judged on.")
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Frames a second to keep up with.  [default: 24]",
)
@click.option(
    "--alpha", "alphas", multiple=True, type=float, metavar="A", help="A family's width multipliers."
)
@click.option(
    "--resolution",
    "resolutions",
    multiple=True,
    type=int,
    metavar="R",
    help="A family's resolutions, pixels.",
)
@click.option(
    "--precision", "precisions", multiple=True, type=PRECISION, metavar="P", help="[default: int8 and float]"
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    type=BACKEND,
    metavar="B",
    help="[default: all that the board has]",
)
@click.option("--recipe", type=RECIPE, metavar="R", help="How to quantize, by name or path.")
@click.option(
    "--threads", "threads", multiple=True, type=int, metavar="N", help="Threads to try; 0: every core."
)
@click.option("--frame", metavar="WxH[:form]", help="Camera frames.  [default: 640x480]")
@click.option(
    "--screen", type=PROTOCOL, metavar="P", help="Protocol of the short rounds.  [default: screening]"
)
@click.option(
    "--long", "long", type=PROTOCOL, metavar="P", help="Protocol of the finalists.  [default: real-time]"
)
@click.option(
    "--rounds", type=click.IntRange(min=2), metavar="N", help="Short rounds per cell.  [default: 3]"
)
@click.option("--all", "brute", is_flag=True, help="Measure every cell, even where others already tell.")
@click.option(
    "--dry-run", is_flag=True, help="Print the cells, what they share, and the longest it can take."
)
@click.option("--fresh", is_flag=True, help="Ignore what the output folder holds.")
@click.option("--scheduler", metavar="ADDR", help="A Dask cluster's scheduler: tcp://HOST:8786.")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes here.  [default: one per core]"
)
@click.option(
    "-o", "--output", type=OUTPUT_FOLDER, default="sweep", show_default=True, metavar="DIR",
    help="Where results are kept.",
)  # fmt: skip
@cache_option
@json_option
def sweep(
    what: tuple[str, ...],
    devices: tuple[str, ...],
    output: str,
    dry_run: bool,
    fresh: bool,
    scheduler: str | None,
    workers: int | None,
    no_cache: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Find the best network for each board.

    The best is the most accurate one that keeps up with a camera. Give one of:

    \b
      a plan       a TOML file or a name of profiles/sweeps
      models       trained ones, with --val
      families     v1 v2 v3-small v3-large: untrained networks with published
                   accuracies, to learn what to train for a board

    Results are kept in the output folder; the same command continues where it stopped.

    \b
    Example:
      edgenet sweep *.h5 --calibration calib --val val --device pi
      edgenet sweep v1 v2 --device pi --device local   # before you train
      edgenet sweep v1 --alpha 1.0 --precision int8 --dry-run
    """
    from edgenet.cli.shared.sweep import next_steps, outlined
    from edgenet.cli.shared.sweep_tables import show_sweep
    from edgenet.sweeps.outline import outline
    from edgenet.sweeps.sweep import sweep as run

    plan = _plan(what, devices, **asked)
    if dry_run:
        with progress() as on_progress:
            found = outline(plan, output, on_progress, fresh)
        print_json(found.to_table()) if as_json else outlined(found)
        return 0
    with progress() as on_progress:
        made = run(plan, output, on_progress, scheduler, workers, not no_cache, fresh)
    print_notes(made.notes)
    if as_json:
        print_json(made.to_table())
    else:
        show_sweep(made)
        next_steps(made, Path(output))
    return EXIT_FAILED if all(cell.state == "failed" for cell in made.cells) else 0


def _plan(what: tuple[str, ...], devices: tuple[str, ...], **asked: Any) -> SweepPlan:
    """What is named, with the options in place of what it says."""
    from edgenet.sweeps.choice import chosen

    return chosen(what).changed(boards=devices, **{key: value or None for key, value in asked.items()})
