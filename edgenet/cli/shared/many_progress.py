"""Work on many boards, on stderr: a line a board on a terminal, elsewhere plain lines that name the board."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgenet.board import Board
from edgenet.cli.shared.loudness import LOUDNESS
from edgenet.cli.shared.output import bar_console, remark, remark_above, styled
from edgenet.cli.shared.pace import Pace
from edgenet.cli.shared.progress import LONGEST_STAGE, Lines
from edgenet.fleet_report import DONE
from edgenet.fleets.each import BoardProgress
from edgenet.log import log
from edgenet.progress import REMARK

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

__all__ = ["many_progress"]

# Of the screen, lines that are left to others: the summary, the prompt below, a line above.
MARGIN, FEWEST = 3, 3
LONGEST_NAME = 32
TIMES_A_SECOND = 8
# Called with a board and its state in a word, when its outcome is final.
EndedBoard = Callable[[Board, str], None]


@contextmanager
def many_progress(boards: Sequence[Board]) -> Iterator[tuple[BoardProgress, EndedBoard]]:
    """What tells how the work on each board goes, and that it ended."""
    shown: _Lines | _Screen
    if LOUDNESS.quiet or LOUDNESS.verbose or not sys.stderr.isatty():
        shown = _Lines(boards)
        yield _logged(shown.tell), shown.ended
        return
    from rich.live import Live

    console = bar_console()
    shown = _Screen(boards, console)
    live = Live(shown, console=console, transient=True, refresh_per_second=TIMES_A_SECOND)
    with live:
        turns = _Turns(shown, _Lines(boards), live.stop)
        yield _logged(turns.tell), turns.ended


def _logged(tell: BoardProgress) -> BoardProgress:
    """As ``tell``, without the board's name in a stage, and with the beginning of each in the log."""
    stages: dict[Board, str] = {}

    def told(board: Board, stage: str, done: int, total: int | None) -> None:
        stage = stage.removesuffix(f" to {board}")
        if stages.get(board) != stage:
            stages[board] = stage
            log.debug("%s: %s", board, stage)
        tell(board, stage, done, total)

    return told


class _Lines:
    """Plain lines: a line a stage of each board, one every ten seconds, and one at its end."""

    def __init__(self, boards: Sequence[Board]) -> None:
        self._lines = {str(board): Lines(f"{board}: ") for board in boards}
        self._left, self._lock = set(self._lines), threading.Lock()

    def tell(self, board: Board, stage: str, done: int, total: int | None) -> None:
        """Show a stage."""
        with self._lock:
            self._lines[str(board)](stage, done, total)

    def passed(self, board: Board) -> bool:
        """A board's end; whether it is its first: a board that is switched back ends once more."""
        with self._lock:
            first = str(board) in self._left
            self._left.discard(str(board))
        return first

    def ended(self, board: Board, state: str) -> None:
        """Show an end."""
        first = self.passed(board)
        with self._lock:
            left = f"; {len(self._left)} left" if first and self._left else ""
            remark(f"{board}: {state}{left}")


class _Turns:
    """The screen; plain lines from when ssh may ask a person, for what is drawn again erases the question."""

    def __init__(self, screen: _Screen, lines: _Lines, stop: Callable[[], None]) -> None:
        self._shown: _Screen | _Lines = screen
        self._screen, self._lines, self._stop = screen, lines, stop

    def tell(self, board: Board, stage: str, done: int, total: int | None) -> None:
        """Show a stage."""
        if board.asks and self._shown is self._screen:
            self._shown = self._lines
            self._stop()
        self._shown.tell(board, stage, done, total)

    def ended(self, board: Board, state: str) -> None:
        """Show an end."""
        if self._shown is self._screen:
            self._lines.passed(board)
        self._shown.ended(board, state)


class _Row:
    """A board on the screen."""

    def __init__(self, board: Board) -> None:
        self.name, self.state = str(board)[:LONGEST_NAME], ""
        self._began: float | None = None
        self._pace = Pace("", 0, 0.0)

    @property
    def runs(self) -> bool:
        return self._began is not None and not self.state

    def update(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        self._began = self._began or now
        if stage != self._pace.stage:
            self._pace = Pace(stage, done, now)
        self._pace.update(done, total, now)

    def words(self, name_width: int) -> str:
        seconds = f"{time.monotonic() - self._began:4.0f} s" if self.runs and self._began else " " * 6
        told = self.state or (self._pace.words if self.runs else "waiting")
        return f"{self.name:<{name_width}}  {seconds}  {told}"


class _Screen:
    """Every board's line where the screen has room for all; else those that are worked on, and a summary."""

    def __init__(self, boards: Sequence[Board], console: Console) -> None:
        self._rows = {str(board): _Row(board) for board in boards}
        self._console, self._lock = console, threading.Lock()

    def tell(self, board: Board, stage: str, done: int, total: int | None) -> None:
        """Take notice of a stage."""
        if total == REMARK:
            remark_above(self._console, f"{board}: {stage}"[:LONGEST_STAGE])
            return
        with self._lock:
            self._rows[str(board)].update(stage, done, total)

    def ended(self, board: Board, state: str) -> None:
        """Take notice of an end; a failure is told at once."""
        with self._lock:
            self._rows[str(board)].state = state
        if state != DONE:
            remark_above(self._console, f"{board}: {state}")

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> RenderResult:
        """The lines now."""
        with self._lock:
            yield from self._drawn(console.width, console.height)

    def _drawn(self, width: int, height: int) -> Iterator[Text]:
        rows, room = list(self._rows.values()), max(height - MARGIN, FEWEST)
        if len(rows) > room:
            rows = [row for row in rows if row.runs][:room]
        across = max((len(row.name) for row in rows), default=0)
        for row in rows:
            line = styled(row.words(across))
            line.truncate(width - 1, overflow="ellipsis")
            yield line
        yield styled(self._summary(), "bold")

    def _summary(self) -> str:
        states = [row.state or ("at work" if row.runs else "waiting") for row in self._rows.values()]
        return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states)))
