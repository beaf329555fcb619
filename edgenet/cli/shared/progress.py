"""Work that goes on, on stderr: a bar on a terminal, elsewhere a line a stage and one every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgenet.cli.shared.loudness import LOUDNESS
from edgenet.cli.shared.output import bar_console, remark, remark_above
from edgenet.cli.shared.pace import Pace
from edgenet.log import log
from edgenet.progress import REMARK, Progress
from edgenet.text import plain

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["LONGEST_STAGE", "Lines", "progress"]

EVERY_S = 10.0
LONGEST_STAGE = 120
# Of a line: for the bar with what stands beside it, on a narrow terminal and on a wide one; of a stage.
BESIDE, BESIDE_WIDE, SHORTEST_STAGE = 40, 68, 20
WIDE = 100


@contextmanager
def progress() -> Iterator[Progress]:
    """What a step calls while it works; all of it is logged, and shown as loud as the user asked for."""
    if LOUDNESS.quiet or LOUDNESS.verbose or not sys.stderr.isatty():
        with _logged(Lines()) as told:
            yield told
        return
    with _bar() as shown, _logged(shown) as told:
        yield told


@contextmanager
def _logged(shown: Progress) -> Iterator[Progress]:
    """As ``shown``, with the beginning and the time of each stage in the log."""
    lock, stage, began = threading.Lock(), "", time.monotonic()

    def ended() -> None:
        if stage:
            log.debug("%s: took %.2f s", stage, time.monotonic() - began)

    def tell(name: str, done: int, total: int | None) -> None:
        nonlocal stage, began
        with lock:  # the board's silence is told by a thread of its own
            if total == REMARK:
                log.debug("%s", name)
            elif name != stage:
                ended()
                stage, began = name, time.monotonic()
                log.debug("%s", name)
            shown(name, done, total)

    try:
        yield tell
    finally:
        with lock:
            ended()


class Lines:
    """Plain lines: the parts of one piece of work, each with ``prefix`` before it."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._pace: Pace | None = None
        self._next = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if total == REMARK:
            self._say(stage)
        elif self._pace is None or stage != self._pace.stage:
            self._pace, self._next = Pace(stage, done, now), now + EVERY_S
            self._say(self._pace.name)
        elif now >= self._next:
            self._next = now + EVERY_S
            self._pace.update(done, total, now)
            remark(f"{self._prefix}{self._pace.words}"[:LONGEST_STAGE])

    def _say(self, line: str) -> None:
        """What the log tells too, and ``--verbose`` shows from there."""
        if not LOUDNESS.verbose:
            remark(f"{self._prefix}{line}"[:LONGEST_STAGE])


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    name, pace = (TextColumn(f"{{task.{field}}}", markup=False) for field in ("description", "fields[pace]"))
    console = bar_console()
    wide = [TimeElapsedColumn()] if console.width >= WIDE else []
    drawn = BarColumn(bar_width=16 if wide else 8)
    bar = Bar(SpinnerColumn(), name, drawn, *wide, pace, console=console, transient=True)
    task = bar.add_task("", total=None, pace="")
    held, lines = Pace("", 0, time.monotonic()), Lines()

    def show(stage: str, done: int, total: int | None) -> None:
        nonlocal held
        if _may_ask(stage, bar.live.is_started):
            bar.stop()
            lines(stage, done, total)
            return
        bar.start()
        if total == REMARK:
            remark_above(bar.console, stage[:LONGEST_STAGE])
            return
        if stage != held.stage:
            held = Pace(stage, done, time.monotonic())
            bar.reset(task, description=_short(plain(held.name), bar.console), total=total)
        held.update(done, total)
        bar.update(task, completed=done, total=total, pace=_beside(held, bar.console))

    try:
        yield show
    finally:
        bar.stop()


def _may_ask(stage: str, drawn: bool) -> bool:
    """Whether ssh may ask a person meanwhile: what is drawn again and again would erase the question."""
    return stage.startswith("connecting") or (stage.startswith("waiting for") and not drawn)


def _beside(pace: Pace, console: Console) -> str:
    """What there is room for beside the bar: the most telling first."""
    told = [text for text in (pace.left, pace.rate, pace.count) if text]
    return "  ".join(told[: 3 if console.width >= WIDE else 2])


def _short(stage: str, console: Console) -> str:
    beside = BESIDE_WIDE if console.width >= WIDE else BESIDE
    most = min(max(console.width - beside, SHORTEST_STAGE), LONGEST_STAGE)
    return stage if len(stage) <= most else f"{stage[: most - 1]}…"
