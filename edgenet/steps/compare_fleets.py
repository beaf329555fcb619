"""Two runs of a fleet side by side: each board against itself, and all of them together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgenet.data_frame import data_frame
from edgenet.errors import ReportError
from edgenet.figures import interval
from edgenet.fleet_report import FleetBoard, FleetReport
from edgenet.notebook import Grid, Shown
from edgenet.report import AT_LEAST, Limit
from edgenet.statistics import mean_half_width
from edgenet.steps.compare import Comparison, Gates, compare
from edgenet.steps.taken import fleet_report_of

__all__ = ["BoardComparison", "FleetComparison", "FleetGates", "compare_fleets"]

COMPARED, NEW, MISSING, UNMEASURED = "compared", "new", "missing", "not measured"
# Of boards, for an interval of what happened to all of them.
FEWEST = 5
# What a ratio is within before its logarithm is taken: samples of a file may be anything above 0.
BOUNDS = (1e-200, 1e200)


@dataclass(frozen=True)
class FleetGates(Gates):
    """Limits for every board of the second run; ``None`` asks nothing.

    Attributes:
        complete: Whether every board of the first run must be measured in the second; ``valid`` asks it too.
    """

    complete: bool = False


@dataclass(frozen=True)
class BoardComparison(Shown):
    """One board in both runs.

    Attributes:
        board: Its name.
        state: "compared"; "new", not measured in the first run; "missing" in the second; or "not measured"
            there.
        comparison: Of its two reports, where both are there and comparable.
        reason: Why there is none.
        gates: One a limit, as the board keeps it.
    """

    board: str
    state: str
    comparison: Comparison | None
    reason: str
    gates: tuple[Limit, ...] = ()

    @property
    def over_limit(self) -> bool:
        """Whether a limit is crossed."""
        return any(not gate.passed for gate in self.gates)

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        found = self.comparison.to_table() if self.comparison else {}
        gates = [gate.to_table() for gate in self.gates]
        return {"board": self.board, "state": self.state, "reason": self.reason, **found, "gates": gates}


@dataclass(frozen=True)
class FleetComparison(Shown):
    """The result of :func:`compare_fleets`.

    Attributes:
        boards: Those of the second run in its order, then those that only the first has.
        p50_ratio: Geometric mean over the boards of b's median latency over a's, emulated ones left out;
            ``None`` without any.
        interval: Its 95 % interval from board to board; ``None`` below five of them.
        verdicts: How many boards are faster, slower, or not told apart, by the word of their comparison.
    """

    boards: tuple[BoardComparison, ...]
    p50_ratio: float | None
    interval: tuple[float, float] | None
    verdicts: Mapping[str, int]

    def __repr__(self) -> str:
        return f"<FleetComparison: {self.sentence}>"

    @property
    def sentence(self) -> str:
        """Over the whole fleet, in words."""
        counts = ", ".join(f"{count} × {word}" for word, count in self.verdicts.items())
        if self.p50_ratio is None:
            return counts or "no board is in both runs"
        spread = (
            f"95 % interval from board to board {interval(self.interval, 3)}"
            if self.interval
            else f"fewer than {FEWEST} boards, so no interval"
        )
        return f"{counts}; p50 ratio {self.p50_ratio:.3f} over the fleet ({spread})"

    def _title(self) -> str:
        return "Two runs of a fleet"

    def _rows(self) -> Mapping[str, Any]:
        return {"over the fleet": self.sentence}

    def _grids(self) -> Sequence[Grid]:
        rows = [
            [item.board, item.state, item.comparison.p50_ratio if item.comparison else None, _verdict(item)]
            for item in self.boards
        ]
        return (Grid(("board", "", "median of b over a", ""), rows),)

    @property
    def over_limit(self) -> bool:
        """Whether a board crosses a limit."""
        return any(item.over_limit for item in self.boards)

    def to_frame(self) -> Any:
        """A pandas ``DataFrame``, a row a board and figure: board, state, name, a, b, ratio, difference.

        Raises:
            PackageError: pandas is not installed.
        """
        rows = [
            {"board": item.board, "state": item.state, **vars(row)}
            for item in self.boards
            for row in (item.comparison.rows if item.comparison else ())
        ]
        return data_frame(rows)

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "boards": [item.to_table() for item in self.boards],
            "p50_ratio": self.p50_ratio,
            "interval": self.interval,
            "verdicts": dict(self.verdicts),
            "over_limit": self.over_limit,
        }


def _verdict(item: BoardComparison) -> str:
    return item.comparison.verdict if item.comparison else item.reason


def compare_fleets(
    a: FleetReport | Path | str, b: FleetReport | Path | str, gates: Gates | None = None
) -> FleetComparison:
    """Compare two runs of a fleet, board by board; a board is known by its name.

    Args:
        a: The first, such as yesterday's.
        b: The second, whose boards the gates judge, each one alone. A board that was not measured keeps no
            limit; one that the first run does not have keeps those that ask nothing of the first.
        gates: Limits.

    Raises:
        ReportError: One cannot be read.

    Examples:
        >>> found = edgenet.compare_fleets("fleet.json", "fleet.json")
        >>> found.p50_ratio, found.over_limit
        (1.0, False)
    """
    first, second = fleet_report_of(a), fleet_report_of(b)
    asked = gates or Gates()
    before = {item.board: item for item in first.boards}
    found = [_board(before.get(item.board), item, asked) for item in second.boards]
    now = {item.board for item in second.boards}
    found += [_missing(item, asked) for item in first.boards if item.board not in now]
    told = {item.board: item.comparison for item in found if item.comparison}
    simulated = {item.board for run in (first, second) for item in run.boards if _emulated(item)}
    ratio, spread = _over_all([item.p50_ratio for name, item in told.items() if name not in simulated])
    verdicts = Counter(item.comparison.verdict if item.comparison else item.state for item in found)
    return FleetComparison(tuple(found), ratio, spread, dict(verdicts))


def _emulated(item: FleetBoard) -> bool:
    """Whether its speed says nothing."""
    return item.report is not None and item.report.emulated


def _board(old: FleetBoard | None, new: FleetBoard, gates: Gates) -> BoardComparison:
    if new.report is None:
        return _unjudged(new.board, UNMEASURED, f"{new.state}: {new.reason or 'no reason is known'}", gates)
    if old is None or old.report is None:
        alone = replace(gates, max_slowdown=None, max_drift=None)
        judged = compare(new.report, new.report, alone).gates
        reason = "not in a" if old is None else f"not measured in a, {old.state}"
        return BoardComparison(new.board, NEW, None, reason, judged)
    try:
        found = compare(old.report, new.report, gates)
    except ReportError as error:
        return _unjudged(new.board, COMPARED, error.what, gates)
    return BoardComparison(new.board, COMPARED, found, "", found.gates)


def _missing(old: FleetBoard, gates: Gates) -> BoardComparison:
    """A board that is not in the second run: told, and a fault where all of them are asked for."""
    limits = (_absent("board in b"),) if _complete(gates) else ()
    return BoardComparison(old.board, MISSING, None, "not in b", limits)


def _unjudged(name: str, state: str, reason: str, gates: Gates) -> BoardComparison:
    """A figure that is not known keeps no limit."""
    asked = any(
        limit is not None for limit in (gates.max_slowdown, gates.min_fps, gates.max_drift, gates.max_memory)
    )
    limits = (_absent("comparable report in b"),) if asked or _complete(gates) else ()
    return BoardComparison(name, state, None, reason, limits)


def _complete(gates: Gates) -> bool:
    return gates.valid or (isinstance(gates, FleetGates) and gates.complete)


def _absent(name: str) -> Limit:
    return Limit(name=name, kind=AT_LEAST, limit=1, value=0, passed=False)


def _over_all(ratios: Sequence[float]) -> tuple[float | None, tuple[float, float] | None]:
    """Geometric mean and its interval by Student's t of the logarithms, boards being independent."""
    if not ratios:
        return None, None
    logs = np.log(np.clip(np.asarray(ratios, np.float64), *BOUNDS))
    middle = float(logs.mean())
    if len(ratios) < FEWEST:
        return math.exp(middle), None
    half = mean_half_width(logs)
    return math.exp(middle), (math.exp(middle - half), math.exp(middle + half))
