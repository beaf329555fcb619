"""Two reports side by side: faster, slower, or cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.change import VALID, SpeedChange, speed_change
from edgenet.data_frame import data_frame
from edgenet.errors import ReportError
from edgenet.figures import interval
from edgenet.metric import Metric, metrics
from edgenet.notebook import Grid, Shown
from edgenet.report import AT_LEAST, AT_MOST, Limit, Report
from edgenet.steps.taken import report_of
from edgenet.text import with_article

__all__ = ["Comparison", "Gates", "Row", "compare"]


@dataclass(frozen=True)
class Row(Shown):
    """One figure of both reports.

    Attributes:
        name: What, with its unit.
        a: In the first report, ``None`` where it is absent.
        b: In the second report.
        ratio: b / a, or ``None``; of what is no share.
        difference: b - a in percentage points, of a share; or ``None``.
    """

    name: str
    a: float | None
    b: float | None
    ratio: float | None
    difference: float | None = None


@dataclass(frozen=True)
class Gates(Shown):
    """Limits for the second report; ``None`` asks nothing.

    Attributes:
        max_slowdown: Percent that the median latency may exceed the first report's.
        min_fps: Of the pipeline, else of the model.
        max_drift: Percentage points of top-1 lost against the first report; without labels the growth
            of the share of changed answers.
        max_memory: MB of the peak.
        valid: Whether both reports must be VALID: speed that was not measured well passes no gate.
    """

    max_slowdown: float | None = None
    min_fps: float | None = None
    max_drift: float | None = None
    max_memory: float | None = None
    valid: bool = False


@dataclass(frozen=True)
class Comparison(Shown):
    """The result of :func:`compare`.

    Attributes:
        rows: Figures side by side.
        p50_ratio: b's median latency over a's.
        interval: Its 95 % interval; ``None`` where there are too few samples for one.
        verdict: "b is faster", "b is slower" or "cannot tell", where the runs are why with the reason.
        notes: Why the comparison may be unfair.
        gates: One a limit, with a note where it cannot be settled.
    """

    rows: tuple[Row, ...]
    p50_ratio: float
    interval: tuple[float, float] | None
    verdict: str
    notes: tuple[str, ...]
    gates: tuple[Limit, ...] = ()

    def __repr__(self) -> str:
        return f"<Comparison: {self.verdict}, median {self.p50_ratio:.3f} of a's>"

    def _title(self) -> str:
        return self.verdict

    def _rows(self) -> Mapping[str, Any]:
        spread = f", 95 % interval {interval(self.interval, 3)}" if self.interval else ""
        limits = tuple(gate.words + (f" ({gate.note})" if gate.note else "") for gate in self.gates)
        known = {"median of b over a": f"{self.p50_ratio:.3f}{spread}", "limits": limits, "notes": self.notes}
        return {name: value for name, value in known.items() if value}

    def _grids(self) -> Sequence[Grid]:
        rows = [[row.name, row.a, row.b, _apart(row)] for row in self.rows]
        return (Grid(("", "a", "b", "b against a"), rows),)

    def to_frame(self) -> Any:
        """A pandas ``DataFrame``, a row a figure: name, a, b, ratio, difference.

        Raises:
            PackageError: pandas is not installed.
        """
        return data_frame([asdict(row) for row in self.rows])

    @property
    def over_limit(self) -> bool:
        """Whether a limit is crossed."""
        return any(not gate.passed for gate in self.gates)

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "gates": [gate.to_table() for gate in self.gates]}


def compare(a: Report | Path | str, b: Report | Path | str, gates: Gates | None = None) -> Comparison:
    """Compare two reports of the same model.

    Args:
        a: The first, such as yesterday's or one of ``profiles/reference``.
        b: The second, which the gates judge.
        gates: Limits for it.

    Raises:
        ReportError: A report cannot be read, the two are of different models, or a gate asks for what a
            report does not hold.

    Examples:
        >>> found = edgenet.compare("report.json", "report.json")
        >>> found.p50_ratio, [row.name for row in found.rows][:2]
        (1.0, ['artifact (MB)', 'p50 (ms)'])
    """
    first, second = report_of(a), report_of(b)
    if not isinstance(gates, Gates | None):
        reason = f"{with_article(type(gates).__name__)} is no limits of a comparison"
        raise ReportError(reason, "give edgenet.steps.compare.Gates, such as Gates(max_slowdown=5)")
    one, other = ((item.bundle.model_digest, item.drift.task) for item in (first, second))
    if one != other:
        raise ReportError(
            f"the reports are of different models ({first.bundle.model}, {second.bundle.model})",
            "compare reports of one model",
        )
    change = speed_change(first, second)
    verdict = f"b is {change.word}" if change.told else change.word
    judged = _judge(first, second, change, gates or Gates())
    notes = _notes(first, second)
    return Comparison(_rows(first, second), change.ratio, change.interval, verdict, notes, judged)


def _apart(row: Row) -> str:
    if row.difference is not None:
        return f"{row.difference:+.2f} pp"
    return "–" if row.ratio is None else f"× {row.ratio:.3f}"


def _judge(a: Report, b: Report, change: SpeedChange, gates: Gates) -> tuple[Limit, ...]:
    found = []
    if gates.valid:
        good = sum(item.verdict.state == VALID for item in (a, b))
        found.append(Limit(name="VALID reports", kind=AT_LEAST, limit=2, value=good, passed=good == 2))
    if gates.max_slowdown is not None:
        worst = None if change.interval is None else 100.0 * (change.interval[1] - 1.0)
        value = None if b.emulated or a.emulated else 100.0 * (change.ratio - 1.0)
        gate = _most("slow-down (%)", value, gates.max_slowdown)
        if worst is not None and gate.passed and worst > gates.max_slowdown:
            gate = gate.changed(note=f"not settled: it may be {worst:.1f} %")
        found.append(_doubted(gate, a, b))
    if gates.min_fps is not None:
        fps = None if b.emulated else b.fps.best_known
        passed = fps is not None and fps >= gates.min_fps
        gate = Limit(name="FPS", kind=AT_LEAST, limit=gates.min_fps, value=fps, passed=passed)
        found.append(_doubted(gate, b))
    if gates.max_drift is not None:
        found.append(_drift_gate(a, b, gates.max_drift))
    if gates.max_memory is not None:
        found.append(_most("peak memory (MB)", b.memory_mb.peak, gates.max_memory))
    return tuple(found)


def _most(name: str, value: float | None, limit: float) -> Limit:
    """A value that is not known passes no gate."""
    passed = value is not None and value <= limit
    return Limit(name=name, kind=AT_MOST, limit=limit, value=value, passed=passed)


def _doubted(gate: Limit, *reports: Report) -> Limit:
    """A gate of speed, with a note where the speed was not measured well."""
    if all(item.verdict.state == VALID for item in reports):
        return gate
    return gate.changed(note=gate.note or "not settled: a run was not VALID")


def _drift_gate(a: Report, b: Report, limit: float) -> Limit:
    if a.drift.judged_on != b.drift.judged_on:
        raise ReportError(
            "the reports' drift was judged on different images, so a limit on it has no answer",
            "profile both with the same --val folder",
        )
    lost = b.drift.lost(since=a.drift)
    gate, least = _most(lost.name, lost.pp, limit), b.drift.smallest_claim_pp
    if least is not None and least > limit:
        return gate.changed(note=f"{b.drift.images} images cannot tell less than {least:.2f} pp")
    return gate


def _rows(a: Report, b: Report) -> tuple[Row, ...]:
    rows = []
    for metric in metrics(a, b):
        if metric.compared:
            x, y = metric.read(a), metric.read(b)
            rows.append(_row(metric, x, y))
    return tuple(rows)


def _row(metric: Metric, a: float | None, b: float | None) -> Row:
    """Shares differ by percentage points, all else by a factor."""
    if a is None or b is None:
        return Row(metric.title, a, b, None)
    if metric.unit == "%":
        return Row(metric.title, a, b, None, b - a)
    return Row(metric.title, a, b, b / a if a else None)


def _notes(a: Report, b: Report) -> tuple[str, ...]:
    notes = []
    for name, report in (("a", a), ("b", b)):
        if report.verdict.state != VALID:
            notes.append(f"{name} is {report.verdict.state}")
    if a.device.board != b.device.board:
        notes.append("measured on different boards")
    if a.protocol.name != b.protocol.name:
        notes.append("measured by different protocols")
    if a.frame != b.frame:
        notes.append("pipelines measured on different frames")
    if a.drift.judged_on != b.drift.judged_on:
        notes.append("drift judged on different images")
    return tuple(notes)
