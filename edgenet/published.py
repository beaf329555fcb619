"""What others published of MobileNets, and what edgenet's int8 was measured to cost: ``profiles/published/``.

Not one of these figures was measured on the user's board; each carries its source.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgenet.errors import LibraryError
from edgenet.library import Table, read_table
from edgenet.pages import page
from edgenet.statistics import Z95
from edgenet.target import Cpu, Target

__all__ = [
    "ExpectedDrift",
    "Machine",
    "PublishedAccuracy",
    "PublishedLatency",
    "expected_drift",
    "machine_of",
    "published_accuracies",
    "published_accuracy",
    "published_cores",
    "published_latencies",
]


@dataclass(frozen=True, kw_only=True)
class PublishedAccuracy:
    """How accurate a network is on ImageNet's validation images, as its authors say.

    Attributes:
        family: "v1", "v2", "v3-small" or "v3-large".
        alpha: Width multiplier.
        resolution: Height and width of the input in pixels.
        top1, top5: Of the float network, 0 to 1; ``None`` where the source has no top-5.
        int8_top1, int8_top5: Of the publisher's own 8-bit one; ``None`` where there is none.
        source: Where the float figures stand.
        int8_source: What the 8-bit ones are of; empty where there are none.
    """

    family: str
    alpha: float
    resolution: int
    top1: float
    top5: float | None
    int8_top1: float | None
    int8_top5: float | None
    source: str
    int8_source: str


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a roofline needs of a board.

    Attributes:
        name: Of the target, or of one that only published figures know.
        cpu: The processor, with the clock that was measured at.
        memory_gb_s: Theoretical bandwidth of the memory in GB/s; ``None`` where not known.
    """

    name: str
    cpu: Cpu
    memory_gb_s: float | None


@dataclass(frozen=True, kw_only=True)
class PublishedLatency:
    """How long a network took somewhere, without camera and preprocessing.

    Attributes:
        machine: The board.
        family, alpha, resolution: The network.
        precision: "fp32", "fp16" or "int8".
        runtime: What computed: "xnnpack", "ncnn", ….
        backend: edgenet's backend that runs the same kernels; empty where none does.
        threads: Of the runtime; 0 where the source does not say.
        gpu: Whether it is the GPU's figure.
        ms: Milliseconds an image.
        minimum: Whether that is the smallest time instead of the mean.
        source: Where it stands.
        note: What to know of it.
    """

    machine: Machine
    family: str
    alpha: float
    resolution: int
    precision: str
    runtime: str
    backend: str
    threads: int
    gpu: bool
    ms: float
    minimum: bool
    source: str
    note: str

    @property
    def network(self) -> str:
        """ "v1-1.0-224"."""
        return f"{self.family}-{self.alpha}-{self.resolution}"


@dataclass(frozen=True, kw_only=True)
class ExpectedDrift:
    """What int8 by edgenet is expected to cost a family, measured of other networks of it.

    Attributes:
        delta_pp: int8 minus float top-1 in percentage points: the mean over the networks.
        interval_pp: 95 % of it. An image that both answer alike cannot move it, so the variance is at most
            the share of the others.
        images: That each network was measured on.
        source: What was measured, with which recipe, on what.
    """

    delta_pp: float
    interval_pp: tuple[float, float]
    images: int
    source: str


@functools.cache
def published_accuracies() -> tuple[PublishedAccuracy, ...]:
    """All of them, family by family, the largest network first.

    Raises:
        LibraryError: The file is damaged.
    """
    table = read_table("published", "accuracy")
    found = [item for part in _tables(table, "tables") for item in _accuracies(part)]
    table.done()
    return tuple(found)


def published_accuracy(family: str, alpha: float, resolution: int) -> PublishedAccuracy | None:
    """Of one network, named as a row names it; ``None`` where nothing was published of it."""
    wanted = (family, alpha, resolution)
    rows = published_accuracies()
    return next((row for row in rows if (row.family, row.alpha, row.resolution) == wanted), None)


@functools.cache
def published_latencies() -> tuple[PublishedLatency, ...]:
    """All of them, in the order of the file.

    Raises:
        LibraryError: The file is damaged, or it names a board that there is not.
    """
    table = read_table("published", "latency")
    machines = {machine.name: machine for machine in map(_machine, _tables(table, "boards"))}
    found = [item for part in _tables(table, "tables") for item in _latencies(part, machines)]
    table.done()
    return tuple(found)


@functools.cache
def published_cores() -> Mapping[str, float]:
    """Core design → multiply-adds of float32 that it begins in a cycle.

    Raises:
        LibraryError: The file is damaged.
    """
    table, found = read_table("published", "cores"), {}
    for row in _tables(table, "cores"):
        found[row.take("name", str)] = float(row.number("macs_per_cycle", float, ...))
        row.done()
    table.done()
    return found


@functools.cache
def expected_drift(family: str, precision: str) -> ExpectedDrift | None:
    """What a precision is expected to cost a family of networks; ``None`` where it was not measured."""
    rows = [row for row in _measured() if (row.family, row.precision) == (family, precision)]
    if not rows:
        return None
    delta = sum(row.top1 - row.top1_float for row in rows) / len(rows)
    variance = sum((1 - row.agreement / 100) / row.images for row in rows) / len(rows) ** 2
    wide = 100 * Z95 * math.sqrt(variance)
    images = min(row.images for row in rows)
    names = ", ".join(f"{row.network} ({row.data})" for row in rows)
    source = f"edgenet, {rows[0].recipe}, {images:,} images each of {names}: {page('quantization')}"
    interval = (round(delta - wide, 2), round(delta + wide, 2))
    return ExpectedDrift(delta_pp=round(delta, 2), interval_pp=interval, images=images, source=source)


@dataclass(frozen=True, kw_only=True)
class _Int8:
    """A row of ``int8.toml``; accuracies and agreement in percent."""

    family: str
    network: str
    precision: str
    recipe: str
    data: str
    images: int
    top1_float: float
    top1: float
    agreement: float


@functools.cache
def _measured() -> tuple[_Int8, ...]:
    table = read_table("published", "int8")
    found = []
    for row in _tables(table, "measured"):
        texts = {key: row.take(key, str) for key in ("family", "network", "precision", "recipe", "data")}
        numbers = {key: row.number(key, float, ...) for key in ("top1_float", "top1", "agreement")}
        found.append(_Int8(**texts, **numbers, images=row.number("images", int, ...)))
        row.done()
    table.done()
    return tuple(found)


def _accuracies(table: Table) -> list[PublishedAccuracy]:
    family, source = table.take("family", str), table.take("source", str)
    int8_source = table.take("int8", str, "")
    found = []
    for row in _tables(table, "rows"):
        shares = {key: row.number(key, float, None) for key in ("top5", "int8_top1", "int8_top5")}
        found.append(
            PublishedAccuracy(
                family=family,
                alpha=float(row.number("alpha", float, ...)),
                resolution=row.number("resolution", int, ...),
                top1=_share(row.number("top1", float, ...)),
                **{key: None if value is None else _share(value) for key, value in shares.items()},
                source=source,
                int8_source=int8_source,
            )
        )
        row.done()
    table.done()
    return found


def _share(percent: float) -> float:
    return round(percent / 100.0, 4)


def _machine(table: Table) -> Machine:
    name, core = table.take("name", str), table.take("core", str)
    cores, clock = table.number("cores", int, ...), table.number("clock_mhz", int, ...)
    isa, bandwidth = table.texts("isa"), table.number("memory_gb_s", float, ...)
    table.done()
    machine = "x86_64" if "avx2" in isa else "aarch64"
    return Machine(name=name, cpu=Cpu(machine, core, cores, isa, clock), memory_gb_s=float(bandwidth))


def _latencies(table: Table, machines: Mapping[str, Machine]) -> list[PublishedLatency]:
    board, clock = table.take("board", str), table.number("clock_mhz", int, None)
    machine = machines[board] if board in machines else machine_of(Target.load(board))
    if clock is not None:
        machine = replace(machine, cpu=replace(machine.cpu, clock_mhz=clock))
    texts = {key: table.take(key, str, "") for key in ("backend", "note")}
    texts |= {key: table.take(key, str) for key in ("runtime", "source")}
    threads, gpu = table.number("threads", int, ...), table.take("unit", str, "cpu") == "gpu"
    found = []
    for row in _tables(table, "rows"):
        found.append(
            PublishedLatency(
                machine=machine,
                family=row.take("family", str),
                alpha=float(row.number("alpha", float, ...)),
                resolution=row.number("resolution", int, ...),
                precision=row.take("precision", str),
                ms=float(row.number("ms", float, ...)),
                minimum=row.take("minimum", bool, False),
                threads=threads,
                gpu=gpu,
                **texts,
            )
        )
        row.done()
    table.done()
    return found


def machine_of(target: Target) -> Machine:
    """A target as a roofline sees it."""
    return Machine(name=target.name, cpu=target.cpu, memory_gb_s=target.memory_gb_s)


def _tables(table: Table, key: str) -> list[Table]:
    """The tables of an array, each with its place in it."""
    rows = table.take(key, list)
    wrong = [row for row in rows if not isinstance(row, dict)]
    if wrong:
        raise LibraryError(f"{table.where}: {key} holds {wrong[0]!r}, which is not a table", "correct it")
    return [Table(row, f"{table.where} {key}[{number}]") for number, row in enumerate(rows)]
