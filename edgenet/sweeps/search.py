"""Which cells are timed next on a board, which need not be, and which are run long: pure decisions.

A cell whose network lies within another's (:meth:`edgenet.sweeps.candidates.Candidate.within`), built and
run in the same way, is not slower. So one that keeps the line decides for all within it, and one that misses
it for all around it; the rest is bisection. What stays unclear gets twice the rounds, and again, but only
where it could still be the answer (successive halving; Jamieson and Talwalkar, AISTATS 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from edgenet.statistics import mean_half_width

__all__ = ["ABOVE", "BELOW", "UNCLEAR", "Entry", "Estimated", "Search", "of_rounds", "relation"]

ABOVE = "above"
BELOW = "below"
UNCLEAR = "unclear"
# The most rounds that a cell gets before the long run decides.
MOST_ROUNDS = 12


class Estimated(NamedTuple):
    """FPS of some rounds, and its 95 % interval; (0, inf) for a single one."""

    fps: float
    interval: tuple[float, float]

    def against(self, line: float) -> str:
        """``ABOVE``, ``BELOW`` or ``UNCLEAR``: where the whole interval lies."""
        low, high = self.interval
        return ABOVE if low >= line else BELOW if high < line else UNCLEAR


def of_rounds(rounds_ms: Sequence[float]) -> Estimated:
    """The FPS of rounds, each a mean in ms: their geometric mean, with Student's interval of the logs."""
    logs = np.log(np.asarray(rounds_ms, np.float64))
    fps = 1e3 / math.exp(float(logs.mean()))
    if len(logs) < 2:
        return Estimated(fps, (0.0, math.inf))
    half = mean_half_width(logs)
    return Estimated(fps, (fps * math.exp(-half), fps * math.exp(half)))


@dataclass(frozen=True)
class Entry:
    """A cell as the search sees it.

    Attributes:
        key: Its own.
        name: For reasons.
        accuracy: What it reaches, 0 to 1; ``None`` where that is not known.
        group: Equal for cells that are built and run in the same way.
        within: The keys of the cells of the group that are not faster than it, itself left out.
    """

    key: str
    name: str
    accuracy: float | None
    group: tuple[object, ...]
    within: frozenset[str]


@dataclass
class Search:
    """The state of one board's search.

    Args:
        entries: Every cell.
        line: FPS.
        rounds: That a cell gets first.
        brute: Whether every cell is timed.

    Attributes:
        times: Key → the mean ms of each round so far.
    """

    entries: Sequence[Entry]
    line: float
    rounds: int = 3
    brute: bool = False
    times: dict[str, list[float]] = field(default_factory=dict, init=False)
    _failed: set[str] = field(default_factory=set, init=False)
    _spent: set[str] = field(default_factory=set, init=False)
    _long: dict[str, Estimated] = field(default_factory=dict, init=False)
    _ruled: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._known = {entry.key: entry for entry in self.entries}
        self._around: dict[str, set[str]] = {entry.key: set() for entry in self.entries}
        for entry in self.entries:
            for key in entry.within:
                self._around[key].add(entry.key)

    # -- what is told

    def timed(self, key: str, rounds_ms: Sequence[float]) -> None:
        """A cell was timed in some more rounds; after none that can be used, no more are asked for."""
        if rounds_ms:
            self.times.setdefault(key, []).extend(rounds_ms)
        else:
            self._spent.add(key)

    def failed(self, key: str) -> None:
        """A cell cannot be timed, or not any more."""
        self._failed.add(key)

    def ran(self, key: str, found: Estimated) -> None:
        """A cell was run long: what its rounds said counts no more."""
        self._long[key] = found

    # -- what follows

    def estimated(self, key: str) -> Estimated | None:
        """A cell's FPS so far."""
        known = self._long.get(key)
        return known or (of_rounds(self.times[key]) if self.times.get(key) else None)

    def side(self, key: str) -> str | None:
        """Where a cell stands to the line; ``None`` where it was not timed."""
        found = self.estimated(key)
        return found.against(self.line) if found else None

    def batch(self) -> dict[str, int]:
        """Cells to be timed now, in turns, and how many rounds each; empty when nothing is left to ask."""
        if self.brute:
            if first := [entry.key for entry in self.entries if self._open(entry.key)]:
                return dict.fromkeys(first, self.rounds)
            return self._more()
        self._rule_out()
        asked = {}
        groups: dict[tuple[object, ...], list[str]] = {}
        for entry in self.entries:
            if self._open(entry.key):
                groups.setdefault(entry.group, []).append(entry.key)
        for keys in groups.values():
            asked[max(keys, key=lambda key: self._tells(key, keys))] = self.rounds
        return asked or self._more()

    def skipped(self) -> Mapping[str, str]:
        """Key → what it follows from that a cell need not be timed."""
        return self._ruled

    def finalist(self) -> str | None:
        """The cell to be run long next, when no batch is left; ``None`` when there is no question left.

        The most accurate that does not miss the line, of equals the faster.
        """
        kept = [key for key in self.times if key not in self._failed and self.side(key) != BELOW]
        rated = [key for key in kept if self._known[key].accuracy is not None]
        best = min(rated, key=lambda key: (-self._accuracy(key), np.mean(self.times[key])), default=None)
        return None if best in self._long else best

    # -- how

    def _open(self, key: str) -> bool:
        return not (key in self.times or key in self._failed or key in self._ruled)

    def _accuracy(self, key: str) -> float:
        known = self._known[key].accuracy
        return -1.0 if known is None else known

    def _tells(self, key: str, among: Sequence[str]) -> tuple[int, float]:
        """How many open cells it decides at least, whatever comes out; of equals the more accurate."""
        open_ = set(among)
        below = sum(other in open_ for other in self._around[key])
        above = sum(other in open_ for other in self._known[key].within)
        return min(below, above), self._accuracy(key)

    def _rule_out(self) -> None:
        """Skip what follows from the cells that are clear, as they stand now."""
        self._ruled = {}
        for key in list(self.times):
            side, found = self.side(key), self.estimated(key)
            if found is None or side == UNCLEAR or (side == ABOVE and key in self._failed):
                continue
            name = self._known[key].name
            for other in self._decided(key, side == ABOVE):
                if side == BELOW:
                    why = f"not faster than {name}, which reaches {_told(found.fps)} FPS"
                else:
                    why = f"within {name}, which is more accurate and reaches {_told(found.fps)} FPS"
                self._ruled[other] = why

    def _decided(self, key: str, keeps: bool) -> list[str]:
        """The open cells that a clear one decides: around one that misses; within one that keeps the line and
        not more accurate."""
        if not keeps:
            return [other for other in self._around[key] if self._open(other)]
        mine = self._accuracy(key)
        return [
            other for other in self._known[key].within if self._open(other) and self._accuracy(other) <= mine
        ]

    def _more(self) -> dict[str, int]:
        """Twice the rounds for those that are unclear and could be the answer."""
        sure = [
            self._accuracy(key) for key in self.times if key not in self._failed and self.side(key) == ABOVE
        ]
        best = max(sure, default=-1.0)
        return {
            key: min(len(times), MOST_ROUNDS - len(times))
            for key, times in self.times.items()
            if key not in self._failed | self._spent
            and key not in self._long
            and len(times) < MOST_ROUNDS
            and self.side(key) == UNCLEAR
            and self._accuracy(key) > best
        }


def _told(fps: float) -> str:
    """With three digits, and with all before the point."""
    return f"{fps:.{2 if fps < 10 else 1 if fps < 100 else 0}f}"


def relation(
    keys: Sequence[str], within: Callable[[int, int], bool], groups: Sequence[tuple[object, ...]]
) -> list[frozenset[str]]:
    """For each cell the keys of the others of its group that lie within it.

    Args:
        keys: Of the cells.
        within: Whether the network of the first index lies within that of the second.
        groups: Of each.
    """
    count = range(len(keys))
    return [
        frozenset(keys[i] for i in count if i != j and groups[i] == groups[j] and within(i, j)) for j in count
    ]
