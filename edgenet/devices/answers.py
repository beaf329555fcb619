"""What an agent answers, as types (docs/agent-protocol.md): the board, its store, an open model, a demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from edgenet.facts import Facts
from edgenet.json_value import Count, Length, NotNegative, Positive, Where, Within
from edgenet.measured import Sensors
from edgenet.record import Record
from edgenet.report import WarmUp

__all__ = [
    "Begun",
    "Bench",
    "DemoEnd",
    "Deployed",
    "Deployment",
    "Deployments",
    "Finish",
    "Finished",
    "Have",
    "LackingParts",
    "Loaded",
    "Probe",
    "Put",
    "Replay",
    "Roof",
    "Runs",
    "RuntimeLayer",
    "Runtimes",
    "Tap",
    "Trial",
    "Turns",
    "Unpacked",
]

Side = Annotated[int, Within(least=0, most=1_000_000)]
Digest = Annotated[str, Length(64)]


@dataclass(frozen=True, kw_only=True)
class Probe(Record):
    """The board."""

    facts: Facts


@dataclass(frozen=True, kw_only=True)
class LackingParts(Record):
    """The parts of the agent that a board lacks: ``tasks/detection``."""

    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Begun(Record):
    """Whether the board asks for signatures, now that the deploy lock is held."""

    signed_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Have(Record):
    """(digest, bytes there) of each blob that is not whole, and what was removed for them, in words."""

    missing: tuple[tuple[Digest, Count], ...]
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Put(Record):
    """Whether the blob is whole now, and what was removed for it, in words."""

    done: bool
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Runtimes(Record):
    """The digests of the unpacked runtimes, and of those that were damaged and are removed."""

    runtimes: tuple[Digest, ...]
    damaged: tuple[Digest, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unpacked(Record):
    """The digest of the runtime that wheels became, and what was removed for it, in words."""

    runtime: Digest
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial(Record):
    """Whether a runtime can be imported on the board: its version, or why not (and which signal ended it)."""

    works: bool
    version: str = ""
    why: str = ""
    signal: str | None = None

    def check(self, where: Where) -> None:
        """One of the two is said."""
        if not (self.version if self.works else self.why):
            raise where.missing("version" if self.works else "why")


@dataclass(frozen=True, kw_only=True)
class Finished(Record):
    """An artifact that the board finished.

    Attributes:
        cached: Whether it was there already.
        reason: Why an earlier one does not serve.
        seconds: What making it took.
        size: Bytes.
        tensorrt, gpu, sm: What it was made by and for.
        workspace: Scratch memory for the builder, bytes.
        path, key: Where it lies on the board, and the digest of all that it depends on.
    """

    path: str | None = None
    key: str | None = None
    cached: bool
    reason: str | None = None
    seconds: NotNegative
    size: Count
    tensorrt: str
    gpu: str
    sm: str
    workspace: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Finish(Record):
    """What came of finishing, and what was removed for it, in words."""

    finished: Finished
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deployed(Record):
    """Whether the current deployment is another than before, and what the board forgot, in words."""

    changed_: bool
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deployment(Record):
    """One deployment; what its manifest on the board lacks is ``None``."""

    digest: Digest | None = None
    name: str | None = None
    backend: str | None = None
    runtime: Digest | None = None


@dataclass(frozen=True, kw_only=True)
class Deployments(Record):
    """The digest of the current deployment, and all of them."""

    current: Digest | None = None
    deployments: tuple[Deployment, ...]


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
    parts_absent: Mapping[str, str] = field(default_factory=dict)
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
class Turns(Record):
    """How often all forms of frames took their turn, and the mean ms of each one's parts; samples follow."""

    rounds: Annotated[int, Within(least=1)]
    parts_ms: tuple[Mapping[str, NotNegative], ...]


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


@dataclass(frozen=True, kw_only=True)
class DemoEnd(Record):
    """The summary of a demo that is over (docs/demo.md)."""

    summary: Mapping[str, Any]
