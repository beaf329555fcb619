"""``edgenet quickstart``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import cache_option, json_option, protocol_option
from edgenet.cli.shared.output import print_json, print_table, progress, say

__all__ = ["quickstart"]


@click.command()
@click.option(
    "-o", "--output", type=click.Path(file_okay=False), help="Keep bundles and reports in this folder."
)
@protocol_option("quick")
@cache_option
@json_option
def quickstart(output: str | None, protocol: str, no_cache: bool, as_json: bool) -> None:
    """Run the whole chain here: embedded model, both backends, float and int8.

    Compiles, deploys to this machine and profiles every build of the embedded sign classifier,
    and says which is the fastest that keeps the accuracy.

    \b
    Example:
      edgenet quickstart
      edgenet quickstart --json > quickstart.json
    """
    from edgenet.cli.shared.tables import report_columns, report_row
    from edgenet.steps.quickstart import quickstart as run

    with progress() as on_progress:
        result = run(output, protocol, on_progress, not no_cache)
    if as_json:
        print_json(result.to_table())
        return
    drift = result.reports[0].drift
    reference = 100 * (drift.best or 0.0) - (drift.delta_pp or 0.0)
    heading = f"float top-1 {reference:.1f} % on {drift.images} images"
    title = f"signs (MobileNetV1 0.25, 96x96) on this machine; {heading}"
    print_table(title, report_columns(*result.reports), [report_row(report) for report in result.reports])
    say(_line(result.answer))


def _line(answer: dict) -> str:  # type: ignore[type-arg]
    best = answer["fastest"]
    if best is None:
        return f"no build keeps the accuracy within {answer['within_pp']} pp"
    return (
        f"fastest build within {answer['within_pp']} pp: {best['backend']} {best['precision']}, "
        f"p50 {best['p50_ms']:.3f} ms, {best['fps_pipeline']:.0f} FPS from image bytes to label, "
        f"top-1 {best['top1_delta_pp']:+.2f} pp"
    )
