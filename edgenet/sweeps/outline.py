"""A sweep before it is begun: its cells, what they share, and how long the boards are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.progress import Progress, silent
from edgenet.steps.taken import protocol_of
from edgenet.sweeps.board_search import entries_of
from edgenet.sweeps.engine import Here
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.search import Search
from edgenet.sweeps.slots import Slot
from edgenet.sweeps.store import Store
from edgenet.sweeps.sweep import Prepared, prepared
from edgenet.swept import Cell

__all__ = ["Outline", "outline"]

# About what it takes to start a model's process and to load a model, on a board of the middle; seconds.
START_S = 2.0
# Lines that the search is tried with, to find how many cells it asks for at most.
TRIES = 24


@dataclass(frozen=True)
class Outline:
    """What a sweep would do.

    Attributes:
        cells: Those that are done among them.
        done: How many are.
        builds: Bundles to be made.
        quantizations: That they share.
        boards: Device → cells that are timed at most, and seconds that the board is needed for at most.
    """

    cells: tuple[Cell, ...]
    done: int
    builds: int
    quantizations: int
    boards: dict[str, tuple[int, float]]

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "cells": [cell.to_table() for cell in self.cells],
            "done": self.done,
            "builds": self.builds,
            "quantizations": self.quantizations,
            "boards": {
                name: {"timed": count, "seconds": took} for name, (count, took) in self.boards.items()
            },
        }


def outline(plan: SweepPlan, folder: Path | str, progress: Progress = silent, fresh: bool = False) -> Outline:
    """What :func:`edgenet.sweeps.sweep.sweep` would do: boards are asked what they are, nothing is built.

    Args:
        plan: As there.
        folder: As there; what is done in it counts as done.
        progress: Called for every step.
        fresh: As there.

    Raises:
        PlanError, DataError, ModelError, ConnectionFailed: As there.
    """
    ready, store = prepared(plan.checked(), progress, Here()), Store(folder, fresh)
    cells = [store.cell(slot.key) or slot.pending() for slot in ready.slots]
    missing = {slot.build_key: slot for slot in ready.slots if store.build(slot.build_key) is None}
    shared = {(slot.candidate.digest, slot.recipe) for slot in missing.values() if slot.recipe is not None}
    return Outline(
        cells=tuple(cells),
        done=sum(cell.state != "pending" for cell in cells),
        builds=len(missing),
        quantizations=len(shared),
        boards={board.device: _needed(ready, board.device) for board in ready.boards},
    )


def _needed(ready: Prepared, device: str) -> tuple[int, float]:
    """Cells that are timed at most on a board, and the seconds of that and of one long run."""
    plan = ready.plan
    slots = [slot for slot in ready.slots if slot.reached.device == device]
    screen, long = protocol_of(plan.screen), protocol_of(plan.long)
    each = plan.rounds * (2 * screen.warmup_s + screen.min_seconds + screen.longest_s + START_S)
    count = len(slots) if plan.brute else max(_timed(slots, plan, line) for line in _lines(slots))
    return count, count * each + 2 * long.warmup_s + long.min_seconds + long.longest_s + START_S


def _lines(slots: Sequence[Slot]) -> list[float]:
    """FPS lines between the networks, where their speed goes by their multiply-adds."""
    macs = sorted({slot.candidate.macs for slot in slots}, reverse=True)
    speeds = [1e9 / count for count in macs[:: max(1, len(macs) // TRIES)]]
    return [0.0, *(speed * 1.001 for speed in speeds)]


def _timed(slots: Sequence[Slot], plan: SweepPlan, line: float) -> int:
    """How many cells the search asks for where the line lies there."""
    cells = [slot.pending() for slot in slots]
    search = Search(entries_of(slots, cells), line, plan.rounds)
    macs = {slot.key: slot.candidate.macs for slot in slots}
    while batch := search.batch():
        for key, rounds in batch.items():
            search.timed(key, [macs[key] / 1e6] * rounds)
    return len(search.times)
