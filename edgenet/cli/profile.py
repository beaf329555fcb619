"""``edgenet profile``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options
from edgenet.cli.shared.options import bundles_argument, json_option, protocol_option
from edgenet.cli.shared.output import print_json, print_notes, print_rows, print_table, say_hint, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress
from edgenet.errors import EXIT_OVER_LIMIT, DataError

if TYPE_CHECKING:
    from edgenet.frame import Frame

__all__ = ["profile"]

# Protocol, images, least FPS, most drift, camera frame: as `profile` takes them.
AskedOnes = tuple[str, str | None, float | None, float | None, "Frame | None"]


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
@bundles_argument
@boards_options
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
    bundles: tuple[str, ...],
    boards: Boards,
    protocol: str,
    val: str | None,
    min_fps: float | None,
    max_drift: float | None,
    frame: Frame | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Measure speed, memory and drift on a board.

    BUNDLE must be deployed there; of several, each of several boards measures the one that runs there. Drift
    is what the board's answers lose against the float model, on the same images.

    \b
    Example:
      edgenet profile m.edgenet --device pi --val photos/val -o report.json
      edgenet profile m.edgenet --device pi --frame 640x480   # as from a webcam
      edgenet profile m.edgenet --device pi --min-fps 24 --max-drift 0.5   # CI
      edgenet profile pi4.edgenet pi5.edgenet --fleet boards.toml -o fleet.json
    """
    if boards.one is None:
        return _many(bundles, boards, (protocol, val, min_fps, max_drift, frame), output, as_json)
    if len(bundles) > 1:
        raise click.UsageError("several bundles are for several boards: give one, or --fleet FILE")
    return _one(bundles[0], boards.one, (protocol, val, min_fps, max_drift, frame), output, as_json)


def _many(
    bundles: tuple[str, ...], boards: Boards, asked: AskedOnes, output: str | None, as_json: bool
) -> int:
    from edgenet.bundle import Bundle
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.cli.shared.tables import report_columns, report_row
    from edgenet.fleets.profiling import exit_code, fleet_report, missed, profiling
    from edgenet.report import Report
    from edgenet.steps.asked import asked_of

    def row(report: Report) -> dict[str, str]:
        return dict(zip(report_columns(report), report_row(report), strict=True))

    loaded = [Bundle.load(file) for file in bundles]
    with progress() as on_progress:
        work = profiling(loaded, asked_of(*asked), on_progress)
    key = [bundle.digest for bundle in loaded]
    verb = Verb("profile", row, Report.to_table, exit_code, missed, key)
    ended = on_each(boards, work, verb, as_json, show=not as_json)
    made = fleet_report(ended.outcomes)
    if as_json:
        print_json(made.to_table())
    if output:
        made.write(output)
    return ended.exit_code


def _one(bundle: str, board: Board, asked: AskedOnes, output: str | None, as_json: bool) -> int:
    from edgenet.cli.shared.tables import report_columns, report_row, verdict_rows
    from edgenet.steps.profile import profile as run

    with progress() as on_progress:
        report = run(bundle, board, *asked[:4], on_progress, frame=asked[4])
    print_notes(report.verdict.notes)
    if as_json:
        print_json(report.to_table())
    else:
        drift = report.drift
        title = f"{report.bundle.model} on {board}; drift on {drift.images} {drift.source} images"
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
