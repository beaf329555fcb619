"""``edgenet quickstart``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import cache_option, embedded_option, json_option, protocol_option
from edgenet.cli.shared.output import print_json, print_table, say_next, say_wrapped
from edgenet.cli.shared.outputs import OUTPUT_FOLDER
from edgenet.cli.shared.progress import progress
from edgenet.drift import CLASSIFICATION, Drift

__all__ = ["quickstart"]


@click.command()
@click.option(
    "-o",
    "--output",
    type=OUTPUT_FOLDER,
    metavar="DIR",
    help="Keep bundles and reports in this folder.",
)
@embedded_option
@protocol_option("quick")
@cache_option
@json_option
def quickstart(output: str | None, task: str, protocol: str, no_cache: bool, as_json: bool) -> None:
    """Run the whole chain on this machine.

    Compiles, deploys and profiles an embedded model with both embedded backends, in float and int8, and says
    which build is the fastest that keeps the accuracy. The model tells road signs apart, or with --task
    detection finds them in scenes.

    \b
    Example:
      edgenet quickstart
      edgenet quickstart --task detection
      edgenet quickstart --json > quickstart.json
    """
    from edgenet.cli.shared.tables import report_columns, report_row
    from edgenet.steps.quickstart import quickstart as run

    with progress() as on_progress:
        result = run(output, protocol, on_progress, not no_cache, task)
    if as_json:
        print_json(result.to_table())
        return
    drift = result.reports[0].drift
    reference = 100 * (drift.best or 0.0) - (drift.delta_pp or 0.0)
    heading = f"float {drift.measure} {reference:.1f} % on {drift.images} images"
    height, width = result.model.preprocessing.size
    title = f"{result.model.name} (MobileNetV1 0.25, {width}x{height}) on this machine; {heading}"
    print_table(title, report_columns(*result.reports), [report_row(report) for report in result.reports])
    say_wrapped(_line(result.answer, drift))
    say_next("demo", *(() if task == CLASSIFICATION else ("--task", task)), "--open", why="see it at work")
    say_next("compile", "MODEL", "--target", "T", "--calibration", "DIR", why="a model of your own")


def _line(answer: dict, drift: Drift) -> str:  # type: ignore[type-arg]
    from edgenet.steps.quickstart import delta_key

    best = answer["fastest"]
    if best is None:
        return f"no build keeps the accuracy within {answer['within_pp']} pp"
    return (
        f"fastest build within {answer['within_pp']} pp: {best['backend']} {best['precision']}, "
        f"p50 {best['p50_ms']:.3f} ms, {best['fps_pipeline']:.0f} FPS from image bytes to answer, "
        f"{drift.measure} {best[delta_key(drift)]:+.2f} pp"
    )
