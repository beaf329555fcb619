"""What changed on each board of a fleet since an earlier run, and whether the samples can tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgenet.change import FASTER, SpeedChange, pipeline_change, speed_change
from edgenet.figures import interval
from edgenet.fleet_report import FleetBoard, FleetReport
from edgenet.metric import Metric
from edgenet.report import Report
from edgenet.views.fleet_columns import AGREEMENT, DRIFT, Column
from edgenet.views.when import when

__all__ = ["NO_INTERVAL", "Changed", "Shift", "Since", "since"]

NO_INTERVAL = "a single figure of a run: no interval tells whether it changed"
UP, DOWN, LEVEL = "up", "down", ""
# Of a ratio: what is divided by.
TINY = 1e-300


@dataclass(frozen=True)
class Shift:
    """A figure against the earlier run.

    Attributes:
        words: By how much: "+3.2 %".
        arrow: "up" or "down" where the samples tell that it changed; else empty.
        better: Whether that is better; ``None`` without an arrow.
        why: What the arrow, or that there is none, rests on.
        by: By how much as a number, in the words' unit.
        edges: The same at both ends of its 95 % interval, where there is one.
    """

    words: str
    arrow: str
    better: bool | None
    why: str
    by: float
    edges: tuple[float, float] | None = None


@dataclass(frozen=True)
class Changed:
    """A board that is in both runs: figures by the key of their column, and what else is not as it was."""

    shifts: dict[str, Shift] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Since:
    """A run against an earlier one.

    Attributes:
        date: Of the earlier one, in words.
        boards: Name → what changed.
        new: Boards that the earlier run did not have.
        gone: Boards that only the earlier run had.
    """

    date: str
    boards: dict[str, Changed]
    new: Sequence[str]
    gone: Sequence[str]

    @property
    def compared(self) -> int:
        """Boards with figures in both runs."""
        return sum(bool(item.shifts) for item in self.boards.values())

    @property
    def faster(self) -> int:
        """Boards of which some speed is better for certain."""
        return self._count(better=True)

    @property
    def slower(self) -> int:
        """Boards of which some speed is worse for certain."""
        return self._count(better=False)

    def _count(self, *, better: bool) -> int:
        return sum(any(item.shifts.get(key) and item.shifts[key].better is better for key in SPEEDS)
                   for item in self.boards.values())  # fmt: skip


def since(old: FleetReport, new: FleetReport, shown: Sequence[Column]) -> Since:
    """Compare two runs, board by board; a board is known by its name."""
    before = {item.board: item for item in old.boards}
    now = [item.board for item in new.boards]
    date = when({"clock_s": old.at})
    return Since(
        date.strftime("%Y-%m-%d %H:%M UTC") if date else "an earlier run",
        {
            item.board: _changed(before[item.board], item, shown)
            for item in new.boards
            if item.board in before
        },
        [name for name in now if name not in before],
        [name for name in before if name not in set(now)],
    )


def _changed(old: FleetBoard, new: FleetBoard, shown: Sequence[Column]) -> Changed:
    if old.report is None or new.report is None:
        return Changed({}, [f"was {old.state}"] if old.state != new.state else [])
    notes = _notes(old.report, new.report)
    if old.report.bundle.model_digest != new.report.bundle.model_digest:
        return Changed({}, ["another model than before: nothing is compared", *notes])
    found = {item.metric.key: _shift(item.metric, old.report, new.report) for item in shown}
    return Changed({key: shift for key, shift in found.items() if shift}, notes)


def _notes(old: Report, new: Report) -> list[str]:
    """What makes the comparison say something else than that a board got faster."""
    pairs: dict[str, Callable[[Report], object]] = {
        "target": lambda item: item.device.target,
        "board": lambda item: item.device.board,
        "protocol": lambda item: item.protocol.name,
        "frame": lambda item: item.frame,
        "build": lambda item: item.build,
        "verdict": lambda item: item.verdict.state,
    }
    return [f"{name} was {read(old) or 'not told'}" for name, read in pairs.items() if read(old) != read(new)]


def _shift(metric: Metric, old: Report, new: Report) -> Shift | None:
    before, now = metric.of(old), metric.of(new)
    if before is None or now is None:
        return None
    if metric.key in SPEEDS:
        change = SPEEDS[metric.key](old, new)
        return _faster(change) if change else None
    if metric.key in (DRIFT, AGREEMENT):
        return _drifted(metric, old, new, now - before)
    words = f"{_signed(now - before, metric.digits)} {metric.unit}"
    return Shift(words, LEVEL, None, NO_INTERVAL, now - before)


def _signed(value: float, digits: int) -> str:
    """With its sign; what is written as 0 has none of its own."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


SPEEDS: dict[str, Callable[[Report, Report], SpeedChange | None]] = {
    "fps_pipeline": pipeline_change,
    "fps_model": speed_change,
}


def _faster(change: SpeedChange) -> Shift:
    """Of frames a second: the inverse of the medians' ratio, in percent."""
    by = _gain(change.ratio)
    edges = None
    if change.interval is not None:
        shortest, longest = change.interval
        edges = (_gain(longest), _gain(shortest))
    why = f"of the medians; 95 % interval {interval(edges, 1)} %" if edges else "too few runs for an interval"
    if not change.told:
        return Shift(f"{_signed(by, 1)} %", LEVEL, None, f"{change.word}; {why}", by, edges)
    better = change.word == FASTER
    return Shift(f"{_signed(by, 1)} %", UP if better else DOWN, better, why, by, edges)


def _gain(ratio: float) -> float:
    """Percent more frames a second, where a frame takes so many times as long."""
    return 100.0 * (1.0 / max(ratio, TINY) - 1.0)


def _drifted(metric: Metric, old: Report, new: Report, by: float) -> Shift | None:
    """Told where the intervals do not meet, which asks for more than it must: the images are the same."""
    if old.drift.judged_on != new.drift.judged_on:
        return None
    before, now = _edges(metric, old), _edges(metric, new)
    words = f"{_signed(by, metric.digits)} pp"
    if before is None or now is None:
        return Shift(words, LEVEL, None, "no interval is known", by)
    why = f"95 % intervals {interval(before)} and {interval(now)}"
    if now[0] > before[1] or now[1] < before[0]:
        return Shift(words, UP if by > 0 else DOWN, by > 0, why, by)
    return Shift(words, LEVEL, None, f"cannot tell; {why}", by)


def _edges(metric: Metric, report: Report) -> tuple[float, float] | None:
    if metric.key == DRIFT:
        return report.drift.interval_pp
    share = report.drift.agreement_interval
    return None if share is None else (100.0 * share[0], 100.0 * share[1])
