"""One board's part of a sweep: cells are built, timed and ruled out until the answer is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from edgenet.errors import ConnectionFailed, ConnectionLost
from edgenet.progress import REMARK, Progress
from edgenet.steps.taken import protocol_of
from edgenet.sweeps.board_cells import BoardCells
from edgenet.sweeps.builder import Builder
from edgenet.sweeps.engine import Outcome
from edgenet.sweeps.failure import failure
from edgenet.sweeps.long_run import LongJob, run_long
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.screening import ScreenJob, Turn, screen
from edgenet.sweeps.search import Entry, Estimated, Search, relation
from edgenet.sweeps.slots import Slot
from edgenet.swept import Cell

__all__ = ["BoardSearch", "entries_of"]

# Cells that take turns at once: a board that is lost costs no more than one such batch.
TURNS = 8
# Seconds after which a board that went away is tried again, in turn.
PATIENCE_S = (2.0, 10.0, 30.0, 60.0, 120.0)


def entries_of(slots: Sequence[Slot], cells: Sequence[Cell]) -> list[Entry]:
    """The cells of a board as the search sees them.

    Args:
        slots: Of the board.
        cells: As they stand, one a slot.
    """
    inside = relation(
        [slot.key for slot in slots],
        lambda i, j: slots[i].candidate.within(slots[j].candidate),
        [slot.group for slot in slots],
    )
    return [
        Entry(slot.key, slot.name, cell.best_accuracy, slot.group, keys)
        for slot, cell, keys in zip(slots, cells, inside, strict=True)
    ]


class BoardSearch:
    """The search on one board.

    Args:
        slots: Its cells.
        plan: What is asked.
        builder: Makes bundles.
        progress: Called for every step.
        photographs: That frames are made of, encoded; none for the bundles' own images.

    Attributes:
        cells: As they stand.
        lost: Why the board could not be asked any more; ``None`` where it could.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        plan: SweepPlan,
        builder: Builder,
        progress: Progress,
        photographs: Sequence[bytes],
    ) -> None:
        self.cells = BoardCells(slots, builder.store)
        self.lost: str | None = None
        self._stopped = False
        self._plan, self._builder, self._progress = plan, builder, progress
        self._photographs = tuple(photographs)
        self._board = slots[0].reached

    def run(self) -> None:
        """Ask until the answer is known, or the board is lost for good.

        Raises:
            DataError: What was found cannot be kept.
            ConnectionLost: The cluster went away.
        """
        if self._plan.files:  # which is the more accurate must be known before the board is asked
            self._build(list(self.cells))
        search = self._search()
        while self.lost is None and not self._stopped:
            if batch := search.batch():
                self._time(search, batch)
            elif key := search.finalist():
                self._long(search, key)
            else:
                break
        for key, why in search.skipped().items():
            self.cells.skip(key, why)

    def stop(self) -> None:
        """Ask for nothing more than what is under way."""
        self._stopped = True

    def _search(self) -> Search:
        """With what is known from before."""
        brute = self._plan.brute or self._board.facts.emulated
        entries = entries_of(list(self.cells.slots.values()), list(self.cells.values()))
        search = Search(entries, self._plan.fps, self._plan.rounds, brute)
        for key, cell in self.cells.items():
            if cell.rounds_ms:
                search.timed(key, cell.rounds_ms)
            if cell.fps.sustained and cell.fps.interval:
                search.ran(key, Estimated(cell.fps.sustained, cell.fps.interval))
        self._drop(search, self.cells)
        return search

    def _drop(self, search: Search, keys: Iterable[str]) -> None:
        """Tell the search which cells need not be asked for any more: an emulated board has no speed."""
        for key in keys:
            if self.cells[key].state in ("failed", "emulated"):
                search.failed(key)

    def _build(self, keys: Sequence[str]) -> list[str]:
        """The keys of the cells that have a bundle; the others failed."""
        slots = [self.cells.slots[key] for key in keys]
        notes = self._builder.built(slots)
        return [slot.key for slot in slots if self.cells.built(slot.key, notes[slot.build_key])]

    def _bundle(self, key: str) -> bytes:
        return self._builder.store.bundle(self.cells.slots[key].build_key)

    def _time(self, search: Search, batch: Mapping[str, int]) -> None:
        """Cells with so many rounds each, a few at once."""
        ready = self._build(list(batch))
        for begin in range(0, len(ready), TURNS):
            if self.lost is None and not self._stopped:
                self._screen(search, {key: batch[key] for key in ready[begin : begin + TURNS]})
        self._drop(search, batch)

    def _screen(self, search: Search, rounds: Mapping[str, int]) -> None:
        """Cells in turns."""
        keys = list(rounds)
        turns = [Turn(self._bundle(key), self.cells.slots[key].threads, rounds[key]) for key in keys]
        rules = protocol_of(self._plan.screen)
        job = ScreenJob(self._board.device, tuple(turns), rules, self._plan.frame, self._photographs)
        names = ", ".join(self.cells.slots[key].name for key in keys[:3])
        more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        self._progress(f"{self._board.device}: timing {names}{more}", 0, None)
        outcome = self._asked(screen, job)
        if outcome is not None and outcome.error is not None:
            raise outcome.error
        for key, cell in zip(keys, outcome.value.cells if outcome else (), strict=False):
            self.cells.screened(key, cell, self._board.facts.emulated)
            if cell.ran and self.cells[key].state == "screened":
                search.timed(key, cell.rounds_ms)

    def _long(self, search: Search, key: str) -> None:
        slot, rules = self.cells.slots[key], protocol_of(self._plan.long)
        frame, val = self._plan.frame, self._builder.val
        job = LongJob(self._bundle(key), slot.reached.device, slot.threads, rules, frame, val)
        self._progress(f"{self._board.device}: measuring {slot.name} for longer", 0, None)
        began = time.perf_counter()
        outcome = self._asked(run_long, job)
        if outcome is None:
            return
        if outcome.error is not None:
            self.cells.fail(key, failure(outcome.error))
            search.failed(key)
            return
        found = self.cells.long(key, outcome.value, time.perf_counter() - began)
        search.ran(key, found) if found else search.failed(key)

    def _asked(self, work: Callable[[Any], Any], job: Any) -> Outcome | None:
        """What came of it on the board, which is waited for where it goes away; ``None`` where it stays away.

        Raises:
            EdgenetError: The engine cannot do any job, whatever it is.
        """
        for pause in (*PATIENCE_S, None):
            (outcome,) = self._builder.engine.run(work, [job], board=self._board.device)
            if not isinstance(outcome.error, ConnectionLost | ConnectionFailed):
                return outcome
            self.lost = str(outcome.error)
            if pause is not None:
                self._progress(f"{self.lost}; tried again in {pause:g} s", 0, REMARK)
                time.sleep(pause)
                self.lost = None
        self.lost = str(outcome.error)
        return None
