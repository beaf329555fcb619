"""A sweep: every cell that was tried, timed, ruled out or left, and the answer for each board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from edgenet.data_frame import data_frame
from edgenet.json_file import check_schema, read_json, write_json
from edgenet.json_value import Count, NotNegative, Positive, Within
from edgenet.notebook import drawn, tabled
from edgenet.record import Record

__all__ = [
    "EXPECTED",
    "MEASURED",
    "PUBLISHED",
    "SCHEMA",
    "STATES",
    "Answer",
    "Cell",
    "CellAccuracy",
    "CellDrift",
    "CellFps",
    "CellVersus",
    "Saved",
    "Sweep",
]

SCHEMA = 1
MAX_BYTES = 48_000_000
AGAIN = "run edgenet sweep again: what is done is kept"
Share = Annotated[float, Within(least=0.0, most=1.0)]
Interval = tuple[float, float]

# Where an accuracy, or what int8 costs of it, is from.
MEASURED = "measured"
PUBLISHED = "published"
EXPECTED = "expected"

# sustained: run long, and its figures are final. screened: timed in short rounds. skipped: decided without
# being timed, the reason says by what. emulated: ran on a simulation, which has no speed. failed: the reason
# says why. pending: the sweep ended before its turn.
STATES = ("sustained", "screened", "skipped", "emulated", "failed", "pending")


@dataclass(frozen=True, kw_only=True)
class CellFps(Record):
    """Frames a second; ``None`` where it was not measured.

    Attributes:
        model: The network alone.
        pipeline: From a camera's frame to its answer, mean of the screening's rounds.
        sustained: The same in the long run, where it settled.
        interval: 95 % of the one that decides: ``sustained``, else ``pipeline``.
    """

    model: Positive | None = None
    pipeline: Positive | None = None
    sustained: Positive | None = None
    interval: Interval | None = None

    @property
    def decides(self) -> float | None:
        """The figure that is held to the line."""
        return self.pipeline if self.sustained is None else self.sustained


@dataclass(frozen=True, kw_only=True)
class CellAccuracy(Record):
    """How often the float network of a cell is right, or the cell itself where that was measured.

    Attributes:
        value: The task's headline measure ("top1"), 0 to 1.
        kind: "measured" of this artifact on the user's images, or "published" of the float network.
        images: That it was measured on.
        interval: 95 % of a measured one.
        source: Of a published one.
    """

    value: Share
    kind: str
    images: Count | None = None
    interval: Interval | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class CellDrift(Record):
    """What the artifact lost against the float network.

    Attributes:
        kind: "measured" of this artifact, or "expected": measured of another, as ``source`` says.
        delta_pp: Artifact minus float of the headline measure, percentage points.
        interval_pp: Its 95 % interval.
        images: That it was measured on.
        agreement: Share of images with the same answer; ``None`` where it is expected.
        source: Where an expected one was measured.
    """

    kind: str
    delta_pp: float | None
    interval_pp: Interval | None
    images: Count | None
    agreement: Share | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class CellVersus(Record):
    """A cell minus the answer's, on the same images in pairs.

    Attributes:
        delta_pp: Of the headline measure, percentage points.
        interval_pp: Its 95 % interval.
        images: How many.
    """

    delta_pp: float
    interval_pp: Interval
    images: Count


@dataclass(frozen=True, kw_only=True)
class Cell(Record):
    """One network, built in one way, on one board.

    Attributes:
        key: sha256 of everything that its figures depend on.
        model: Name of the network: a file's stem, or "v1-1.0-224" of the zoo.
        family: "v1", "v2", "v3-small", "v3-large", or the first of the files of one architecture.
        alpha, resolution: Width multiplier where it is known, and the input's height in pixels.
        macs: Multiply-adds of the float network.
        precision, recipe, backend: How it is built.
        threads: Of the runtime; 0 before the board said how many cores it has.
        device: The board, as the user wrote it.
        state: One of ``STATES``.
        reason: Why it was skipped or failed; ``None`` elsewhere.
        fps, p99_ms, memory_mb: Measured on the board: the pipeline's 99th percentile, and the process's peak.
        top1: How accurate, by the task's headline measure (``Sweep.measure``).
        drift: What it lost against float.
        versus_answer: What it has over the board's answer; ``None`` of that itself, and where an accuracy was
            not measured.
        identical: Whether the board answered bit for bit as the host: to all validation images in a long run,
            else to the bundle's golden images; ``None`` where it was not asked.
        verdict: The long run's ("VALID", "THROTTLED", …); of the screening "THROTTLED" alone.
        report: Of the long run, a path beside ``sweep.json``.
        bundle: Its file, a path beside ``sweep.json``.
        size_bytes: Of the artifact.
        rounds_ms: Mean ms of the pipeline in each round of the screening.
        seconds: That it had the board for.
    """

    key: str
    model: str
    family: str | None = None
    alpha: float | None = None
    resolution: Count | None = None
    macs: Count | None = None
    precision: str
    recipe: str | None = None
    backend: str
    threads: Count
    device: str
    state: str
    reason: str | None = None
    fps: CellFps = CellFps()
    p99_ms: NotNegative | None = None
    memory_mb: NotNegative | None = None
    top1: CellAccuracy | None = None
    drift: CellDrift | None = None
    versus_answer: CellVersus | None = None
    identical: bool | None = None
    verdict: str | None = None
    report: str | None = None
    bundle: str | None = None
    size_bytes: Count | None = None
    rounds_ms: tuple[Positive, ...] = ()
    seconds: NotNegative = 0.0

    @property
    def best_accuracy(self) -> float | None:
        """What the cell itself is expected to reach: measured, or published plus the expected drift."""
        if self.top1 is None or self.top1.kind == MEASURED:
            return self.top1.value if self.top1 else None
        lost = self.drift.delta_pp if self.drift and self.drift.delta_pp is not None else 0.0
        return self.top1.value + lost / 100.0


@dataclass(frozen=True, kw_only=True)
class Answer(Record):
    """The most accurate cell that sustains the line on one board; without a model where none does.

    Attributes:
        device: The board, as the user wrote it.
        board: What it calls itself.
        fps_line: Frames a second that were asked for.
        key: The cell's.
        model, precision, backend, threads, fps, p99_ms, top1: Its figures.
        sentence: All of it in one sentence for people.
    """

    device: str
    board: str | None = None
    fps_line: Positive
    key: str | None = None
    model: str | None = None
    precision: str | None = None
    backend: str | None = None
    threads: Count | None = None
    fps: Positive | None = None
    p99_ms: NotNegative | None = None
    top1: CellAccuracy | None = None
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Saved(Record):
    """What the search spared one board.

    Attributes:
        device: The board.
        board_seconds: That were measured.
        saved_seconds: That the skipped cells would have taken, at the mean of those that were measured.
        cells, skipped: How many there are, and were decided without the board.
    """

    device: str
    board_seconds: NotNegative
    saved_seconds: NotNegative
    cells: Count
    skipped: Count


@dataclass(frozen=True, kw_only=True, repr=False)
class Sweep(Record):
    """A sweep's ``sweep.json``.

    Attributes:
        schema: Version of this form.
        measure: The headline measure's name: "top1", "map50", ….
        fps_line: Frames a second that were asked for.
        frame: The camera's frames that were measured, "jpeg 640x480".
        plan: What was asked for, as :meth:`edgenet.sweeps.plan.SweepPlan.to_table` tells it.
        boards: Device → the facts that the board told.
        cells: Every one.
        answers: One a board.
        saved: One a board.
        notes: What tells how to read it, one sentence each.
        tool: What made it.

    Examples:
        >>> sweep = edgenet.Sweep.load("sweep.json")
        >>> [answer.device for answer in sweep.answers if answer.model]
        ['pi4', 'pi5']
    """

    schema: int
    measure: str
    fps_line: Positive
    frame: str
    plan: Mapping[str, Any]
    boards: Mapping[str, Any]
    cells: tuple[Cell, ...]
    answers: tuple[Answer, ...]
    saved: tuple[Saved, ...] = ()
    notes: tuple[str, ...] = ()
    tool: str | None = None

    @classmethod
    def load(cls, path: Path | str) -> Sweep:
        """Read a ``sweep.json``.

        Raises:
            ReportError: Not readable, not a sweep, of another schema, or a value is not what it should be.
        """
        path = Path(path)
        values = read_json(path, "sweep", MAX_BYTES, AGAIN)
        check_schema(values, SCHEMA, path, AGAIN)
        return cls.from_table(values, str(path))

    def write(self, path: Path | str) -> None:
        """Save as JSON, all of it or nothing.

        Raises:
            OSError: It cannot be written.
        """
        write_json(Path(path), self.to_table())

    def front(self, device: str) -> tuple[Cell, ...]:
        """The timed cells of a board of which none is both faster and more accurate, the fastest first."""
        rated = [
            (cell.fps.decides, cell.best_accuracy, cell)
            for cell in self.cells
            if cell.device == device and cell.fps.decides is not None and cell.best_accuracy is not None
        ]
        found: list[Cell] = []
        best = -1.0
        for _, accuracy, cell in sorted(rated, key=lambda item: (-item[0], -item[1])):
            if accuracy > best:
                found.append(cell)
                best = accuracy
        return tuple(found)

    def __repr__(self) -> str:
        return f"<Sweep {len(self.cells)} cells on {', '.join(self.boards) or 'no board'}>"

    def to_frame(self) -> Any:
        """A pandas ``DataFrame``, a row a cell with the columns of the CSV.

        Raises:
            PackageError: pandas is not installed.
        """
        return data_frame(tabled(self))

    def _repr_html_(self) -> str:
        """For notebooks: the answers, and speed against accuracy."""
        return drawn(self)
