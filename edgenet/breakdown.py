"""Where the time goes, layer by layer, and what only some protocols measure: parts of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from edgenet.json_value import Count, NotNegative, Positive, Where, Within
from edgenet.measured import Interval, Milliseconds
from edgenet.record import Record

__all__ = [
    "ColdStart",
    "Layer",
    "LayerFacts",
    "More",
    "Roofline",
    "Start",
    "Sustained",
    "ThreadSweep",
    "ThreadTry",
]


@dataclass(frozen=True, kw_only=True)
class Layer(Record):
    """One layer, in the names of the user's model.

    Attributes:
        name, op: Of the user's layer; the runtime's own where it added one. ``op`` may be unknown.
        ms, share: Its time, and of all layers together; ``until_ms``: the layers before it included.
        node: The user's layer that it belongs to.
        artifact: The runtime's own name.
        macs: Multiply-adds.
        gmac_s, gb_s: Thousand millions a second of multiply-adds, of bytes.
        of_roof: The share of the roofline that it reaches.
        sqnr_db: Signal to quantization noise of its result.
        reads: The names of the rows of the user's layers whose results it reads; those between that have no
            row, folded into others by the runtime, are left out.
    """

    name: str
    op: str | None
    ms: NotNegative
    share: NotNegative | None = None
    node: str | None = None
    artifact: str | None = None
    until_ms: float | None = None
    macs: Count | None = None
    gmac_s: NotNegative | None = None
    gb_s: NotNegative | None = None
    sqnr_db: float | None = None
    of_roof: NotNegative | None = None
    reads: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class LayerFacts(Record):
    """How the layers were timed and what they leave over; or only ``absent``, why there are none.

    Attributes:
        method: How.
        sum_ms, whole_ms, rest_ms: All layers, the fastest run of the whole, and the difference.
        profiled_ms: The fastest run of the whole while the runtime profiled itself.
        summary: In words.
        noise_absent: Why no layer has a ``sqnr_db``.
        absent: Why there are no layers.
    """

    method: str | None = None
    sum_ms: NotNegative | None = None
    whole_ms: NotNegative | None = None
    rest_ms: float | None = None
    profiled_ms: NotNegative | None = None
    summary: str | None = None
    noise_absent: str | None = None
    absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Roofline(Record):
    """What the network reaches of what the board can do; or only ``absent``, the reason.

    Attributes:
        copy_gb_s, sgemm_gmac_s: What one core copies and multiplies with numpy.
        theoretical_gb_s, source: The memory's bandwidth by the target's file, and where it has it from.
        gmac_s, gb_s: Of the whole network.
        of_roof_absent: Why the layers have no share of the roof.
        summary: In words.
        absent: Why there is no roofline.
    """

    copy_gb_s: NotNegative | None = None
    sgemm_gmac_s: NotNegative | None = None
    theoretical_gb_s: NotNegative | None = None
    source: tuple[str, ...] | None = None
    gmac_s: NotNegative | None = None
    gb_s: NotNegative | None = None
    of_roof_absent: str | None = None
    summary: str | None = None
    absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class ThreadTry(Record):
    """One number of threads: on which cores (``None``: all are alike), median ms and FPS."""

    threads: Annotated[int, Within(least=1)]
    on: str | None
    cores: tuple[int, ...] | None
    p50: Milliseconds
    p50_interval: Interval | None
    fps: Positive


@dataclass(frozen=True, kw_only=True)
class ThreadSweep(Record):
    """Every number of threads that was tried, and ``best``: the fewest within 2 % of the fastest."""

    tried: tuple[ThreadTry, ...]
    best: int

    def check(self, where: Where) -> None:
        """The best was tried."""
        if self.best not in [row.threads for row in self.tried]:
            raise where.at("best").refuse(self.best, "a number that was tried")

    @property
    def chosen(self) -> ThreadTry:
        """The best try."""
        return next(row for row in self.tried if row.threads == self.best)


@dataclass(frozen=True, kw_only=True)
class Sustained(Record):
    """A long run: ``curve`` of (seconds, FPS), FPS at first and where it settled, their ratio, and when.

    ``stage`` says of what: "model", or "pipeline".
    """

    curve: tuple[tuple[float, float], ...]
    first_fps: Positive
    settled_fps: Positive
    ratio: Positive
    settled_after_s: NotNegative | None
    stage: str = "model"

    def check(self, where: Where) -> None:
        """There is a curve."""
        if not self.curve:
            raise where.at("curve").refuse([], "at least one point")


@dataclass(frozen=True, kw_only=True)
class Start(Record):
    """One start of the model's process, in ms: the total and its parts."""

    total_ms: NotNegative
    start_ms: NotNegative
    import_ms: NotNegative
    load_ms: NotNegative
    first_run_ms: NotNegative


@dataclass(frozen=True, kw_only=True)
class ColdStart(Record):
    """Fresh starts: each, the first one's total, median and maximum of the others, in ms."""

    runs: tuple[Start, ...]
    first_ms: NotNegative
    p50_ms: NotNegative
    max_ms: NotNegative

    def check(self, where: Where) -> None:
        """There was a start."""
        if not self.runs:
            raise where.at("runs").refuse([], "at least one start")


@dataclass(frozen=True, kw_only=True)
class More(Record):
    """What only some protocols measure."""

    cold_start: ColdStart | None = None
    threads: ThreadSweep | None = None
    sustained: Sustained | None = None
