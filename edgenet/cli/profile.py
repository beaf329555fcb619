"""``edgenet profile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.options import bundle_argument, device_option, json_option, protocol_option
from edgenet.cli.shared.output import print_json, print_notes, print_rows, print_table, say_hint, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress
from edgenet.errors import EXIT_OVER_LIMIT, DataError

if TYPE_CHECKING:
    from edgenet.frame import Frame

__all__ = ["profile"]


class FrameType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``640x480:yuyv``."""

    name = "WxH[:form]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Frame:
        """The frame; a wrong one is wrong usage."""
        from edgenet.frame import Frame

        try:
            return Frame.parse(str(value))
        except DataError as error:
            self.fail(str(error), param, ctx)


@click.command()
@bundle_argument
@device_option
@protocol_option("single-stream")
@click.option(
    "--val",
    metavar="DIR",
    help="Images to judge accuracy on. labels.csv or one folder per class gives top-1, annotations.json mAP.",
)
@click.option(
    "--min-fps",
    type=click.FloatRange(min=0),
    metavar="N",
    help="Exit 4 if the pipeline is slower than N FPS.",
)
@click.option(
    "--max-drift",
    type=click.FloatRange(min=0),
    metavar="PP",
    help="Exit 4 if more than so many percentage points are lost of top-1, or of what the task measures "
    "(without labels: of answers that changed).",
)
@click.option(
    "--frame",
    type=FrameType(),
    help="Measure the pipeline on camera frames of this size and form: jpeg (default), yuyv, rgb, yuv420 or "
    "nv12. Also says what would be faster.",
)
@click.option("-o", "--output", type=OUTPUT_FILE, metavar="FILE", help="Save the report as JSON.")
@json_option
def profile(
    bundle: str,
    device: str,
    protocol: str,
    val: str | None,
    min_fps: float | None,
    max_drift: float | None,
    frame: Frame | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Measure speed, memory and drift on a board.

    BUNDLE must be deployed there. Drift is what the board's answers lose against the float model, on the same
    images.

    \b
    Example:
      edgenet profile m.edgenet --device pi --val photos/val -o report.json
      edgenet profile m.edgenet --device pi --frame 640x480   # as from a webcam
      edgenet profile m.edgenet --device pi --min-fps 24 --max-drift 0.5   # CI
    """
    from edgenet.cli.shared.tables import report_columns, report_row, verdict_rows
    from edgenet.steps.profile import profile as run

    with progress() as on_progress:
        report = run(bundle, device, protocol, val, min_fps, max_drift, on_progress, frame=frame)
    print_notes(report.verdict.notes)
    if as_json:
        print_json(report.to_table())
    else:
        drift = report.drift
        title = f"{report.bundle.model} on {device}; drift on {drift.images} {drift.source} images"
        print_table(title, report_columns(report), [report_row(report)])
        print_rows(verdict_rows(report))
    if output:
        report.write(output)
    if not as_json:
        if output:
            say_next("report", output, "-o", "report.html")
        else:
            say_hint("the same command with -o report.json, which keeps all of this for edgenet report")
    return EXIT_OVER_LIMIT if report.over_limit else 0
