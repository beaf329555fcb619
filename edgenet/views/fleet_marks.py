"""Which figures of a fleet's boards stand out among those of their kind, and what may be why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from edgenet.figures import number
from edgenet.outliers import outliers
from edgenet.report import Report
from edgenet.views.fleet_columns import AGREEMENT, DRIFT, Column
from edgenet.views.fleet_differences import differences
from edgenet.views.fleet_kinds import Kind, Measured

__all__ = ["Mark", "Standing", "middles", "standings"]

NOTHING = "no fact that the boards told differs"


@dataclass(frozen=True)
class Mark:
    """One outlier: "18 % below", and whether that is worse; ``None`` where neither is."""

    words: str
    worse: bool | None


@dataclass(frozen=True)
class Standing:
    """How one board stands in its kind.

    Attributes:
        kind: Its kind.
        marks: Outliers by the key of their column.
        differs: Facts in which it differs from the others, where a figure stands out.
    """

    kind: Kind
    marks: dict[str, Mark] = field(default_factory=dict)
    differs: list[str] = field(default_factory=list)


def standings(kinds: Sequence[Kind], shown: Sequence[Column]) -> dict[str, Standing]:
    """Name → how the board stands."""
    found = {item.name: Standing(kind) for kind in kinds for item in kind.boards}
    for kind in kinds:
        for column in shown:
            for name, mark in _marks(kind, column).items():
                found[name].marks[column.metric.key] = mark
        for item in kind.boards:
            if found[item.name].marks:
                others = [other.report for other in kind.boards if other is not item]
                found[item.name].differs.extend(differences(item.report, others) or [NOTHING])
    return found


def _marks(kind: Kind, column: Column) -> dict[str, Mark]:
    boards = _alike(kind.boards, column)
    values = [value for item in boards if (value := column.metric.of(item.report)) is not None]
    names = [item.name for item in boards if column.metric.of(item.report) is not None]
    if not values:
        return {}
    middle = median(values)
    odd = outliers(values, column.floor(middle))
    told = zip(names, values, odd, strict=True)
    return {name: _mark(column, value, middle) for name, value, far in told if far}


def _alike(boards: Sequence[Measured], column: Column) -> Sequence[Measured]:
    """Drift is compared where it was judged on the same images: on those of most boards."""
    if column.metric.key not in (DRIFT, AGREEMENT) or not boards:
        return boards
    usual = Counter(item.report.drift.judged_on for item in boards).most_common(1)[0][0]
    return [item for item in boards if item.report.drift.judged_on == usual]


def _mark(column: Column, value: float, middle: float) -> Mark:
    above, better = value > middle, column.metric.better
    worse = None if better is None else above == (better == "lower")
    if column.share and middle:
        size = f"{100 * abs(value / middle - 1):.0f} %"
    else:
        unit = "pp" if column.metric.unit == "%" else column.metric.unit
        size = f"{number(abs(value - middle), column.metric.digits)} {unit}"
    return Mark(f"{size} {'above' if above else 'below'}", worse)


def middles(reports: Sequence[Report], column: Column) -> tuple[float, float, float] | None:
    """Least, median and most of a figure; ``None`` where no board has it."""
    values = [value for report in reports if (value := column.metric.of(report)) is not None]
    return (min(values), median(values), max(values)) if values else None
