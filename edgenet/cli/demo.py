"""``edgenet demo``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import board_option, named
from edgenet.cli.shared.browser import Browser
from edgenet.cli.shared.options import embedded_option, json_option
from edgenet.cli.shared.output import print_json, print_table, rewrite, say, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress
from edgenet.cli.shared.qr import show_qr
from edgenet.devices.seen import State, Summary
from edgenet.errors import DeviceError
from edgenet.json_value import Where

if TYPE_CHECKING:
    from edgenet.steps.demo import Ready

__all__ = ["demo"]

SECONDS_A_LINE = 5
TOLD = Where("what the board told of the demo", error=DeviceError, remedy="update edgenet")


class Size(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``640x480``."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """(width, height)."""
        width, _, height = str(value).partition("x")
        if not (
            width.isdigit() and height.isdigit() and 16 <= int(width) <= 8192 and 16 <= int(height) <= 8192
        ):
            self.fail(f"{value!r} is not a size such as 640x480", param, ctx)
        return int(width), int(height)


@click.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False), metavar="[BUNDLE]", required=False)
@board_option
@embedded_option
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False),
    metavar="BUNDLE",
    help="A second bundle that answers the same frames.",
)
@click.option(
    "--then",
    type=click.Path(exists=True, dir_okay=False),
    metavar="BUNDLE",
    help="A second bundle that looks at what BUNDLE finds, cut out and aligned by its points.",
)
@click.option(
    "--source",
    envvar="EDGENET_SOURCE",
    metavar="S",
    help="camera, picamera2, rpicam, jetson, /dev/videoN, a video file, a folder of images, an rtsp:// or "
    "http:// address, board:PATH, synthetic.  [default: camera; without BUNDLE synthetic]",
)
@click.option(
    "--gallery",
    metavar="DIR",
    help="Pictures that an embedding's answers are the nearest of, named by labels.csv or by their files.",
)
@click.option("--size", type=Size(), help="Picture size to ask of the source.")
@click.option("--fps", type=click.FloatRange(0.1, 1000), help="Frames a second to ask of the source.")
@click.option("--loop", is_flag=True, help="Begin files again when they end.")
@click.option("--threads", type=click.IntRange(0, 256), default=0, help="Of each runtime; 0 for all cores.")
@click.option("--no-page", is_flag=True, help="Only the terminal: FPS, label and budget.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in this machine's browser.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the page here; 0 for any free one."
)
@click.option("--qr", "phone", is_flag=True, help="A QR code, for a phone that reaches the port.")
@click.option("--duration", type=click.FloatRange(0.1), metavar="S", help="End after so many seconds.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False),
    default="edgenet-demo",
    show_default=True,
    help="Folder for snapshots and collected images.",
)
@click.option(
    "--answers",
    type=OUTPUT_FILE,
    metavar="FILE",
    help="File for every frame's answer, as JSON lines; - for stdout, and then there is no summary.",
)
@json_option
def demo(
    bundle: str | None,
    board: Board,
    as_json: bool,
    no_page: bool,
    open_page: bool,
    duration: float | None,
    answers: str | None,
    **given: Any,
) -> None:
    """Watch a bundle at work on live images.

    Frames, the five best labels, frames a second against 24, and where each millisecond goes. The page
    is reached through the connection that edgenet holds; nothing listens on the network. Without
    BUNDLE: the embedded model on a synthetic camera.

    \b
    Example:
      edgenet demo --open
      edgenet demo --task detection --open
      edgenet demo int8.edgenet --against fp32.edgenet --device pi
      edgenet demo faces.edgenet --then people.edgenet --gallery people/
      edgenet demo int8.edgenet --device pi --no-page --duration 60 --json
    """
    from edgenet.steps.demo import DemoOptions, Watch
    from edgenet.steps.demo import demo as run

    streams = answers == "-"
    if streams and as_json:
        raise click.UsageError("--answers - and --json both write to stdout")
    if no_page and given["phone"]:
        raise click.UsageError("--qr leads to the page, which --no-page leaves out")
    between = " then " if given["then"] else " against "
    terminal = Terminal(not no_page or as_json, between)

    def ready(found: Ready) -> None:
        starting.close()
        terminal.begin(found)
        if open_page and found.url and not browser.open(found.url):
            say("edgenet: no browser could be started; open the page's address yourself", err=True)

    def tick(state: Mapping[str, Any]) -> None:
        terminal.tick(state)
        if state.get("viewers"):
            browser.close()

    with stopping(terminal) as stop, Browser() as browser, ExitStack() as starting:
        on_progress = starting.enter_context(progress())
        to = sys.stdout if streams else answers
        options = DemoOptions(page=not no_page, seconds=duration, answers=to, **given)
        quieted = terminal.quieting(on_progress)
        summary = run(bundle, board, options, Watch(ready, tick), stop, quieted)
    terminal.end()
    if as_json:
        print_json(summary)
    elif not streams:
        show(summary, between)
        advise(bundle, board)


def advise(bundle: str | None, board: Board) -> None:
    """The next step."""
    if bundle:
        say_next("profile", bundle, *named(board), "--val", "DIR", "-o", "report.json")
    else:
        say_next("compile", "MODEL", "--target", "T", "--calibration", "DIR", why="a model of your own")


@contextmanager
def stopping(terminal: Terminal) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets while the demo runs; a second one, or an early one, interrupts."""
    stop = threading.Event()

    def interrupt(_number: int, _frame: object) -> None:
        if stop.is_set() or not terminal.running:
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def show_phone(url: str) -> None:
    """A phone's address as a QR code, and what must be done before it leads anywhere."""
    port = urlsplit(url).port
    say(f"edgenet: phone    {url}", err=True)
    why = show_qr(url)
    say(*([f"edgenet: no QR code: {why}"] if why else []), err=True)
    say(
        f"edgenet: nothing listens on the network, so bring port {port} to the phone's own 127.0.0.1 first: "
        f"adb reverse tcp:{port} tcp:{port} (Android, by USB), or in an ssh app of the phone "
        f"ssh -L {port}:127.0.0.1:{port} YOU@THIS-COMPUTER",
        err=True,
    )


class Terminal:
    """The live line on stderr: rewritten on a terminal, one every five seconds elsewhere."""

    def __init__(self, quiet: bool, between: str = " against ") -> None:
        self._quiet, self._between = quiet, between
        self._rewrites, self._next, self.running = sys.stderr.isatty(), 0.0, False

    def quieting(self, on_progress: Any) -> Any:
        """``tell`` until the demo runs."""

        def until(stage: str, done: int, total: int | None) -> None:
            if not self.running:
                on_progress(stage, done, total)

        return until

    def begin(self, ready: Ready) -> None:
        """Say where the page is."""
        self.running = True
        models = self._between.join(str(model.get("name")) for model in ready.models)
        say(f"edgenet: {models} on {ready.source.get('name')}; Ctrl-C ends it", err=True)
        if ready.source.get("note"):
            say(f"edgenet: {ready.source['note']}", err=True)
        if ready.url and ready.metrics:
            say(f"edgenet: page     {ready.url}", err=True)
            say(f"edgenet: metrics  {ready.metrics[0]}  (Authorization: Bearer {ready.metrics[1]})", err=True)
        if ready.phone:
            show_phone(ready.phone)

    def tick(self, told: Mapping[str, Any]) -> None:
        """Show how it goes."""
        if self._quiet or not told.get("frame"):
            return
        state = State.from_table(told, TOLD)
        if not state.age_ms and not state.trouble:
            return  # the first second is not over: nothing is known of it
        if self._rewrites:
            rewrite(line(state)[:110])
        elif state.seconds >= self._next:
            say(line(state), err=True)
            self._next = state.seconds + SECONDS_A_LINE

    def end(self) -> None:
        """Leave the line."""
        if self._rewrites and not self._quiet:
            say("", err=True)


def line(state: State) -> str:
    """FPS, label and budget in one line."""
    if state.trouble:
        return f"waiting: {state.trouble}"
    best = [model.top[0] for model in state.models if model.top]
    label = "–" if not best else best[0][0] if best[0][2] < 0 else f"{best[0][0]} {100 * best[0][1]:.0f} %"
    budget = " ".join(f"{name} {ms:.1f}" for name, ms in state.budget_ms.items() if ms)
    return f"{state.fps.camera or 0:6.1f} FPS  {label:<24}  {state.age_ms:.1f} ms old: {budget}"


def show(told: Mapping[str, Any], between: str = " against ") -> None:
    """The summary as a table."""
    summary = Summary.from_table(told, TOLD)
    frames = summary.frames
    names = between.join(model.name for model in summary.models)
    rows = [
        [name, *(f"{ms:.2f}" if spread.count else "–" for ms in (spread.p50, spread.p99, spread.max))]
        for name, spread in (*summary.stages_ms.items(), ("glass to label", summary.glass_to_label_ms))
    ]
    title = f"{names} on {told['device']}, {summary.source.name}, {summary.seconds:.1f} s"
    print_table(title, ["ms", "p50", "p99", "max"], rows)
    say(
        f"{summary.fps.camera or 0:.1f} FPS camera, {frames.answered} frames answered, "
        f"{frames.dropped} dropped, {frames.damaged} damaged"
    )
    if frames.compared:
        share = 100 * (1 - frames.disagreed / frames.compared)
        say(f"the two models agreed on {share:.1f} % of {frames.compared} frames")
    kept = told["kept"]
    if kept.get("left_out"):
        say(f"{kept['left_out']} pictures were not kept")
    if kept["folder"]:
        say(
            f"kept in {kept['folder']}: {kept['snapshots']} snapshots, {kept['drift']} frames for calibration"
        )
