"""What an agent answers about an open model, as types (docs/agent-protocol.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from edgenet.json_value import Count, NotNegative, Positive, Where, Within
from edgenet.measured import Sensors
from edgenet.record import Record
from edgenet.report import WarmUp

__all__ = ["Bench", "Loaded", "Replay", "Roof", "Runs", "RuntimeLayer", "Tap"]

Side = Annotated[int, Within(least=0, most=1_000_000)]


@dataclass(frozen=True, kw_only=True)
class Loaded(Record):
    """A model that was opened: its runtime, how it describes itself, and what opening took."""

    runtime_version: str
    memory_mb: Mapping[str, float | None]
    described: Mapping[str, Any] = field(default_factory=dict)
    decodes: tuple[str, ...] = ()
    start_ms: NotNegative = 0.0
    import_ms: NotNegative = 0.0
    load_ms: NotNegative = 0.0
    first_run_ms: NotNegative = 0.0


@dataclass(frozen=True, kw_only=True)
class Runs(Record):
    """How many samples follow, of the model and of the pipeline."""

    model: Count
    pipeline: Count = 0


@dataclass(frozen=True, kw_only=True)
class RuntimeLayer(Record):
    """A layer in the runtime's words: its least ``ms``, or ``until_ms`` with the layers before it.

    ``op`` is the runtime's name for the operator, or a number where it has no name.
    """

    name: str
    op: Any = None
    ms: NotNegative | None = None
    until_ms: NotNegative | None = None

    def check(self, where: Where) -> None:
        """One of the two times is there."""
        if self.ms is None and self.until_ms is None:
            raise where.missing("ms")


@dataclass(frozen=True, kw_only=True)
class Roof(Record):
    """What the board's memory and its arithmetic reach at most, one thread."""

    copy_gb_s: Positive
    sgemm_gmac_s: Positive


@dataclass(frozen=True, kw_only=True)
class Bench(Record):
    """What a bench measured, less the samples; see :class:`edgenet.devices.session.BenchResult`."""

    runs: Runs
    memory_mb: Mapping[str, float | None]
    sensors: Sensors
    warmup: Mapping[str, WarmUp]
    parts_ms: Mapping[str, NotNegative] = field(default_factory=dict)
    stride: Mapping[str, Annotated[int, Within(least=1)]] = field(default_factory=dict)
    layers: tuple[RuntimeLayer, ...]
    label: str | None = None
    layers_absent: str | None = None
    arena_absent: str | None = None
    profiled_ms: Positive | None = None
    roof: Roof | None = None

    def check(self, where: Where) -> None:
        """All layers are timed in one way."""
        if len({item.until_ms is None for item in self.layers}) > 1:
            raise where.at("layers").refuse("ms and until_ms", "one of both")


@dataclass(frozen=True, kw_only=True)
class Tap(Record):
    """The type and shape of a tensor whose bytes follow, and what makes them real."""

    dtype: str
    shape: tuple[Side, ...]
    scale: Positive | None = None
    zero_point: int | None = None


@dataclass(frozen=True, kw_only=True)
class Replay(Record):
    """The type and size of each answer, and the sha256 of the pixels that it is an answer to.

    There may be fewer answers than images were sent, where more do not fit into one reply.
    """

    dtype: str
    outputs: Annotated[int, Within(least=1, most=10_000_000)]
    pixels: tuple[str, ...]
