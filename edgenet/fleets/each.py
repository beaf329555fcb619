"""One piece of work on many boards at once; one board's failure stops no other."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from edgenet.board import Board
from edgenet.errors import EXIT_DONE, ConnectionFailed, EdgenetError
from edgenet.notebook import Shown
from edgenet.progress import Progress

__all__ = ["AT_ONCE", "BoardProgress", "Outcome", "each", "unheard"]

# Boards that are worked on at once. The host's processor is busy with the ssh of each.
AT_ONCE = 8
_TICK_S = 0.2

T = TypeVar("T")
# As Progress, with the board that it is about.
BoardProgress = Callable[[Board, str, int, int | None], None]


def unheard(board: Board, stage: str, done: int, total: int | None) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Outcome(Shown, Generic[T]):
    """What came of the work on one board.

    Attributes:
        board: It.
        value: What the work gave; ``None`` where it failed.
        error: Why it failed.
        seconds: Wall time on this board.
    """

    board: Board
    value: T | None
    error: EdgenetError | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """As a command on this board alone would have ended."""
        return self.error.exit_code if self.error else EXIT_DONE


_Ended = queue.SimpleQueue[tuple[int, Outcome[T] | BaseException]]


def each(
    boards: Sequence[Board],
    work: Callable[[Board, Progress], T],
    tell: BoardProgress = unheard,
    at_once: int = AT_ONCE,
    done: Callable[[Outcome[T]], None] | None = None,
) -> tuple[Outcome[T], ...]:
    """Do the same on every board, some at once.

    First ssh asks nobody anything; where it would have asked and a person sits at the terminal, those boards
    follow one after another, so that no two questions stand on the screen together.

    Args:
        boards: In the order in which they are begun.
        work: Called with each, in a thread, and with what tells its progress.
        tell: Called from those threads.
        at_once: How many boards are worked on at the same time.
        done: Called with each outcome, in this thread, as soon as it is final.

    Returns:
        An outcome for each board, in their order. What is no error of edgenet's is raised when all ended.

    Examples:
        >>> found = edgenet.each(edgenet.Fleet.of("local").boards, edgenet.probe)
        >>> found[0].exit_code, found[0].value.cores > 0
        (0, True)
    """
    person = sys.stdin is not None and sys.stdin.isatty()
    found: dict[int, Outcome[T]] = {}
    again: list[int] = []
    for index, outcome in _all([replace(board, asks=False) for board in boards], work, tell, at_once):
        if person and boards[index].asks and _unasked(outcome):
            again.append(index)
        else:
            found[index] = replace(outcome, board=boards[index])
            _hand(done, found[index])
    for place, outcome in _all([boards[index] for index in sorted(again)], work, tell, 1):
        found[sorted(again)[place]] = outcome
        _hand(done, outcome)
    return tuple(found[index] for index in range(len(boards)))


def _hand(done: Callable[[Outcome[T]], None] | None, outcome: Outcome[T]) -> None:
    if done is not None:
        done(outcome)


def _unasked(outcome: Outcome[T]) -> bool:
    return isinstance(outcome.error, ConnectionFailed) and outcome.error.unasked


def _all(
    boards: Sequence[Board], work: Callable[[Board, Progress], T], tell: BoardProgress, at_once: int
) -> Iterator[tuple[int, Outcome[T]]]:
    """Each board's place and outcome, in the order in which they end."""
    waiting: queue.SimpleQueue[tuple[int, Board]] = queue.SimpleQueue()
    ended: _Ended[T] = queue.SimpleQueue()
    for item in enumerate(boards):
        waiting.put(item)

    def run() -> None:
        while True:
            try:
                index, board = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((index, _one(board, work, tell)))
            except BaseException as error:  # a bug: the other boards are not its victims
                ended.put((index, error))

    # Daemons: Ctrl-C ends the main thread at once, and with the process every ssh loses its stdin.
    for _ in range(min(at_once, len(boards))):
        threading.Thread(target=run, daemon=True).start()
    bug: BaseException | None = None
    for _ in boards:
        index, outcome = _next(ended)
        if isinstance(outcome, BaseException):
            bug = bug or outcome
        else:
            yield index, outcome
    if bug is not None:
        raise bug


def _next(ended: _Ended[T]) -> tuple[int, Outcome[T] | BaseException]:
    """The next that ends; waiting in short pieces lets Ctrl-C through on every system."""
    while True:
        try:
            return ended.get(timeout=_TICK_S)
        except queue.Empty:
            continue


def _one(board: Board, work: Callable[[Board, Progress], T], tell: BoardProgress) -> Outcome[T]:
    began = time.monotonic()

    def progress(stage: str, done: int, total: int | None) -> None:
        tell(board, stage, done, total)

    try:
        value = work(board, progress)
    except EdgenetError as error:
        return Outcome(board, None, error, time.monotonic() - began)
    return Outcome(board, value, None, time.monotonic() - began)
