"""What came of a rollout: a table for each wave, a line for all, and why boards were left behind."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from edgenet.board import Board
from edgenet.cli.shared.output import print_table, say
from edgenet.cli.shared.reasons import say_reasons
from edgenet.errors import EXIT_DONE
from edgenet.figures import number
from edgenet.fleet import Fleet
from edgenet.fleet_report import DONE, state_of
from edgenet.fleets.rollout_state import CURRENT, ON_NEW, PLANNED, WAITING, Rollout, RolloutBoard

__all__ = ["RolloutTables"]

COLUMNS = ("board", "state", "build", "before", "FPS", "p99 ms", "memory MB", "drift pp", "s")
# Of a digest, characters.
SHORT = 12


class RolloutTables:
    """Waves, as they end.

    Args:
        fleet: The boards.
        ended: Called for each board whose end is final, with its state.
    """

    def __init__(self, fleet: Fleet, ended: Callable[[Board, str], None]) -> None:
        self._boards = {str(board): board for board in fleet.boards}
        self._ended, self._waves = ended, list[tuple[str, Sequence[RolloutBoard]]]()

    def wave(self, title: str, rows: Sequence[RolloutBoard]) -> None:
        """A wave is over."""
        self._waves.append((title, rows))
        for row in rows:
            if row.state != WAITING:
                fine = row.exit_code == EXIT_DONE and row.state in ON_NEW
                word = DONE if fine else state_of(row.exit_code) if row.exit_code else row.state
                self._ended(self._boards[row.board], word)

    def show(self, made: Rollout) -> None:
        """All waves, and a line for the whole."""
        for title, rows in self._waves:
            cells = [_cells(row) for row in rows]
            told = [any(line[place] for line in cells) for place in range(len(COLUMNS))]
            columns, *lines = ([*itertools.compress(line, told)] for line in (COLUMNS, *cells))
            print_table(f"{title}: {_counted(rows)}", columns, lines)
        on_new = sum(row.state in ON_NEW for row in made.boards)
        planned = "planned, nothing was done" if made.phase == PLANNED else made.phase
        say(f"{planned}: {on_new} of {len(made.boards)} boards run the new build; {_counted(made.boards)}")

    def reasons(self) -> None:
        """Why boards were left behind, those with the same reason together."""
        last = {row.board: row for _, rows in self._waves for row in rows}
        say_reasons((row.board, row.reason, row.remedy) for row in last.values())


def _counted(rows: Sequence[RolloutBoard]) -> str:
    """ "3 switched, 1 failed"."""
    states = [row.state for row in rows]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def _cells(row: RolloutBoard) -> list[str]:
    figures = (row.fps, row.p99_ms, row.memory_mb, row.drift_pp)
    nothing = "nothing" if row.build and row.state != CURRENT else ""
    before = row.before_name or (row.before or nothing)[:SHORT]
    build = f"{row.name or ''} {(row.build or '')[:SHORT]}".strip()
    told = ["" if value is None else number(value) for value in figures]
    return [row.board, row.state, build, before, *told, f"{row.seconds:.1f}"]
