"""A report: everything a measurement found, as saved data with units and provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from edgenet.breakdown import Layer, LayerFacts, More, Roofline
from edgenet.data_frame import data_frame
from edgenet.drift import Drift
from edgenet.errors import ReportError
from edgenet.figures import number
from edgenet.json_file import check_schema, read_json, write_json
from edgenet.json_value import Within
from edgenet.measured import Energy, Fps, Latency, Memory, Sensors, latency
from edgenet.notebook import drawn, tabled
from edgenet.pipeline import PipelineLatency
from edgenet.record import Record

__all__ = [
    "AT_LEAST",
    "AT_MOST",
    "SCHEMA",
    "Built",
    "Limit",
    "Measured",
    "Report",
    "Rules",
    "Verdict",
    "WarmUp",
    "latency",
]

SCHEMA = 1
AT_LEAST = "at least"
AT_MOST = "at most"
# The ``kind`` of what ``edgenet estimate`` prints, which must never pass for a report.
ESTIMATED = "estimated"
# The samples of both ways at half a million each take 14 MB.
MAX_BYTES = 48_000_000


@dataclass(frozen=True, kw_only=True)
class Built(Record):
    """What was measured.

    Attributes:
        digest: Of the bundle.
        model, model_digest: Its name, and the sha256 of its content with weights.
        backend, precision, recipe: How it was built; no recipe for float.
        size_bytes: Of the artifact.
        tool: What compiled it.
    """

    digest: str
    model: str
    model_digest: str | None = None
    backend: str
    precision: str
    recipe: str | None = None
    size_bytes: Annotated[int, Within(least=0)]
    tool: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured(Record):
    """Where: ``name`` as the user wrote it, ``target`` of the bundle, ``facts`` that the board told."""

    name: str
    target: str
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def board(self) -> str | None:
        """What the board calls itself; ``None`` where it does not."""
        board = self.facts.get("board")
        return board if isinstance(board, str) and board else None


@dataclass(frozen=True, kw_only=True)
class WarmUp(Record):
    """How a stage's warm-up went: seconds, runs, and whether it became steady."""

    seconds: float | None = None
    runs: int | None = None
    steady: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Rules(Record):
    """The protocol it was measured by (see :class:`edgenet.protocol.Protocol`), and what came of it.

    Attributes:
        threads_used: Where ``threads`` left it open.
        warmup: Of each stage.
    """

    name: str
    summary: str | None = None
    warmup_s: float | None = None
    min_seconds: float | None = None
    min_runs: int | None = None
    max_seconds: float | None = None
    threads: int | None = None
    pipeline: bool | None = None
    cooldown_s: float | None = None
    layers_s: float | None = None
    idle_s: float | None = None
    sweep_threads: bool | None = None
    cold_starts: int | None = None
    pipeline_s: float | None = None
    threads_used: int | None = None
    warmup: Mapping[str, WarmUp] | None = None


@dataclass(frozen=True, kw_only=True)
class Limit(Record):
    """A limit that was asked for.

    Attributes:
        name: Of what, with its unit.
        kind: "at least" or "at most"; ``None`` in reports of older tools.
        limit, value: Asked and measured; ``None`` where it cannot be.
        passed: Whether it holds.
        images: That drift was judged on.
        note: Why it is not settled.
    """

    name: str
    limit: float
    value: float | None
    passed: bool
    kind: str | None = None
    images: int | None = None
    note: str | None = None

    @property
    def words(self) -> str:
        """What was measured and asked, and whether it holds: "FPS 180.00, asked for at least 240: MISSED"."""
        verdict = "kept" if self.passed else "MISSED" if self.kind == AT_LEAST else "EXCEEDED"
        asked = f"{self.kind} {self.limit:g}" if self.kind else f"{self.limit:g}"
        return f"{self.name} {number(self.value)}, asked for {asked}: {verdict}"


@dataclass(frozen=True, kw_only=True)
class Verdict(Record):
    """Whether the figures may be believed.

    Attributes:
        state: VALID, NOISY, THROTTLED, UNDERVOLT or EMULATED.
        reasons: Why it is not VALID.
        notes: What is no fault but tells how to read the figures.
        limits: Those that were asked for.
    """

    state: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Record):
    """One bundle measured on one board.

    Attributes:
        schema: Version of this form.
        bundle: What was measured.
        device: Where.
        protocol: The rules it was measured by.
        latency_ms: One invocation of the model.
        fps: Frames a second.
        pipeline_ms: The whole way from image bytes to label, or ``None``.
        memory_mb: Of the model's process.
        layers: Each, where the runtime tells.
        drift: What the answers lost.
        sensors: Readings before, during and after.
        verdict: Whether it may be believed, and the limits that were asked for.
        layer_facts: How the layers were timed; ``None`` where nothing was.
        roofline: What the model reaches of what the board can do; ``None`` where that is not known.
        energy: Joules a frame; ``None`` where they are not known.
        more: What only some protocols measure.

    Examples:
        >>> report = edgenet.Report.load("report.json")
        >>> report.build, report.drift.images
        ('onnxruntime int8', 1000)
    """

    schema: int
    bundle: Built
    device: Measured
    protocol: Rules
    latency_ms: Latency
    fps: Fps
    pipeline_ms: PipelineLatency | None
    memory_mb: Memory
    layers: tuple[Layer, ...]
    drift: Drift
    sensors: Sensors
    verdict: Verdict
    layer_facts: LayerFacts | None
    roofline: Roofline | None
    energy: Energy | None
    more: More | None

    @classmethod
    def load(cls, path: Path | str) -> Report:
        """Read a ``report.json``.

        Raises:
            ReportError: Not readable, not a report, of another schema, or a value in it is not what it
                should be.
        """
        path = Path(path)
        values = read_json(path, "report", MAX_BYTES, "profile again")
        if isinstance(values, dict) and values.get("kind") == ESTIMATED:
            what = f"{path}: ESTIMATED by edgenet estimate, not measured, so it is no report"
            raise ReportError(what, "measure: edgenet profile writes a report.json")
        if isinstance(values, dict) and "cells" in values and "bundle" not in values:
            raise ReportError(
                f"{path}: a sweep, not a report",
                "give one of the reports beside it; edgenet report shows the sweep itself",
            )
        if isinstance(values, dict) and "boards" in values and "bundle" not in values:
            raise ReportError(
                f"{path}: of a fleet, not of one board",
                "give a report of one board; edgenet report and edgenet compare read this one too",
            )
        check_schema(values, SCHEMA, path, "profile again")
        return cls.from_table(values, str(path))

    @property
    def build(self) -> str:
        """What was measured, in two words: "tflite int8"."""
        return f"{self.bundle.backend} {self.bundle.precision}"

    @property
    def frame(self) -> str | None:
        """The camera's form of frames that the pipeline was measured on; ``None`` without one."""
        return self.pipeline_ms.frame if self.pipeline_ms else None

    @property
    def over_limit(self) -> bool:
        """Whether a limit that was asked for is exceeded."""
        return any(not limit.passed for limit in self.verdict.limits)

    @property
    def emulated(self) -> bool:
        """Whether the board was a simulation, whose speed is nobody's."""
        return self.verdict.state == "EMULATED"

    def write(self, path: Path | str) -> None:
        """Save as JSON, all of it or nothing."""
        write_json(Path(path), self.to_table())

    def __repr__(self) -> str:
        what = f"{self.bundle.model} {self.bundle.backend} {self.bundle.precision} on {self.device.name}"
        return f"<Report {what}: p50 {self.latency_ms.p50:.3f} ms, {self.verdict.state}>"

    def to_frame(self, part: str = "figures") -> Any:
        """A pandas ``DataFrame``.

        Args:
            part: "figures", one row with the columns of the CSV; "layers", a row each with what the runtime
                told of it; or "samples", a row each run: ``stage`` ("model", "pipeline"), ``run``, ``ms``.

        Raises:
            PackageError: pandas is not installed.
            ReportError: There is no such part.
        """
        return data_frame(tabled(self, part))

    def _repr_html_(self) -> str:
        """For notebooks: the verdict, the figures that decide, and the charts."""
        return drawn(self)
