"""One command on many boards: their progress, a table or JSON of what came of each, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards
from edgenet.cli.shared.many_progress import many_progress
from edgenet.cli.shared.output import print_json, print_table, remark, say_hint, say_wrapped, width
from edgenet.cli.shared.reasons import say_reasons
from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, EXIT_UNREACHABLE
from edgenet.fleet_report import state_of
from edgenet.fleets.each import Outcome, each
from edgenet.fleets.failed import Failed
from edgenet.progress import Progress

__all__ = ["Ended", "Verb", "on_each"]

T = TypeVar("T")
# Characters between two columns of a table, and of the states and seconds.
BETWEEN, STATES = 3, 24


def _done(_: Any) -> int:
    return EXIT_DONE


@dataclass(frozen=True)
class Verb(Generic[T]):
    """How what a command gave on one board is shown.

    Attributes:
        name: The command's.
        row: Heads of the table's columns, but those of every command, and their cells.
        table: JSON-ready.
        code: The exit code that a result means, where it is not always done.
        reason: What a result lacks, where its exit code is not 0.
        key: What else makes this run the same as another, for ``--retry``: digests of bundles.
    """

    name: str
    row: Callable[[T], Mapping[str, str]]
    table: Callable[[T], Any]
    code: Callable[[T], int] = _done
    reason: Callable[[T], str] = str
    key: Sequence[str] = ()


@dataclass(frozen=True)
class Ended(Generic[T]):
    """What came of all.

    Attributes:
        outcomes: In the boards' order; only of those on which the command ran.
        exit_code: 0 where it worked on every board, 3 where none was reached, else 4.
    """

    outcomes: tuple[Outcome[T], ...]
    exit_code: int


def on_each(
    boards: Boards, work: Callable[[Board, Progress], T], verb: Verb[T], as_json: bool, show: bool = True
) -> Ended[T]:
    """Do the same on every board, show how it goes, and what came of it.

    Args:
        boards: Those that are meant.
        work: Called with each, in a thread.
        verb: What is done, and how it is shown.
        as_json: One JSON document in place of the table.
        show: Whether what came of it is shown here.
    """
    failed = Failed(boards.source, verb.name, verb.key)
    meant = failed.of(boards.fleet.boards) if boards.retry else boards.fleet.boards
    if not meant:
        remark(f"nothing to retry: edgenet {verb.name} failed on none of these boards the last time")
    failed.begin(meant)
    with many_progress(meant) as (tell, ended):

        def done(outcome: Outcome[T]) -> None:
            code = _code(outcome, verb)
            if code == EXIT_DONE:
                failed.done(outcome.board)
            ended(outcome.board, state_of(code))

        outcomes = each(meant, work, tell, boards.at_once, done)
    codes = [_code(outcome, verb) for outcome in outcomes]
    if show and as_json:
        print_json({"boards": [_told(outcome, verb) for outcome in outcomes]})
    elif show:
        _show(outcomes, verb)
    say_reasons((str(item.board), _reason(item, verb), _remedy(item)) for item in outcomes)
    if any(codes):
        say_hint("the same command with --retry, which leaves out the boards where it is done")
    return Ended(outcomes, _whole(codes))


def _code(outcome: Outcome[T], verb: Verb[T]) -> int:
    return outcome.exit_code if outcome.value is None else verb.code(outcome.value)


def _whole(codes: Sequence[int]) -> int:
    if not any(codes):
        return EXIT_DONE
    return EXIT_UNREACHABLE if set(codes) == {EXIT_UNREACHABLE} else EXIT_OVER_LIMIT


def _told(outcome: Outcome[T], verb: Verb[T]) -> dict[str, Any]:
    code = _code(outcome, verb)
    return {
        "board": str(outcome.board),
        "device": outcome.board.device,
        "state": state_of(code),
        "exit_code": code,
        "reason": _reason(outcome, verb),
        "remedy": _remedy(outcome),
        "seconds": round(outcome.seconds, 3),
        "result": None if outcome.value is None else verb.table(outcome.value),
    }


def _reason(outcome: Outcome[T], verb: Verb[T]) -> str | None:
    """Why it is not done on a board; ``None`` where it is."""
    if outcome.error is not None:
        return outcome.error.what
    done = outcome.value is None or verb.code(outcome.value) == EXIT_DONE
    return None if done or outcome.value is None else verb.reason(outcome.value)


def _remedy(outcome: Outcome[T]) -> str | None:
    return (outcome.error.remedy or None) if outcome.error else None


def _show(outcomes: Sequence[Outcome[T]], verb: Verb[T]) -> None:
    told = [{} if outcome.value is None else verb.row(outcome.value) for outcome in outcomes]
    columns = list(dict.fromkeys(head for row in told for head in row))
    if _across(outcomes, columns, told) > width():
        columns = _said_once(columns, told)
    rows = [
        [
            str(outcome.board),
            state_of(_code(outcome, verb)),
            *(cells.get(head, "") for head in columns),
            f"{outcome.seconds:.1f}",
        ]
        for outcome, cells in zip(outcomes, told, strict=True)
    ]
    if rows:
        print_table("", ["board", "state", *columns, "s"], rows)


def _across(outcomes: Sequence[Outcome[T]], columns: Sequence[str], told: Sequence[Mapping[str, str]]) -> int:
    """About how many characters wide a table of all these columns is."""
    names = max((len(str(outcome.board)) for outcome in outcomes), default=0)
    cells = [max(len(head), *(len(row.get(head, "")) for row in told)) for head in columns]
    return names + STATES + sum(cell + BETWEEN for cell in cells)


def _said_once(columns: Sequence[str], told: Sequence[Mapping[str, str]]) -> list[str]:
    """Tell above the table what is the same on all boards; the columns that are left."""
    rows = [row for row in told if row]
    same = [head for head in columns if len(rows) > 1 and len({row.get(head) for row in rows}) == 1]
    if words := "; ".join(f"{head}: {rows[0][head]}" for head in same if rows[0][head].strip("– ")):
        say_wrapped(f"on all{'' if len(rows) == len(told) else ' with a result'}: {words}", "")
    return [head for head in columns if head not in same]
