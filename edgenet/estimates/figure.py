"""A measured time of a network somewhere: what estimates are corrected by, and held to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edgenet.errors import EdgenetError
from edgenet.estimates.roofline import SIZES
from edgenet.estimates.work import Work, work_of_named
from edgenet.facts import Facts
from edgenet.published import Machine, machine_of, published_latencies
from edgenet.report import Report
from edgenet.target import Cpu, Target
from edgenet.zoo.named import NamedNetwork, named

__all__ = ["PUBLISHED", "RECORDED", "Figure", "published_figures", "recorded_figures"]

PUBLISHED = "published"
RECORDED = "recorded"
# What a report must be to count.
VALID = "VALID"


@dataclass(frozen=True)
class Figure:
    """One time.

    Attributes:
        machine: Where.
        network: Of what.
        precision: "fp32", "fp16" or "int8".
        kernels: Whose: edgenet's backend, or the runtime where no backend has its kernels.
        threads: Of the runtime; 0 where nobody says.
        ms: Milliseconds an image, the network alone.
        kind: "published", or "recorded" by edgenet on a real board.
        source: Where it stands.
    """

    machine: Machine
    network: NamedNetwork
    precision: str
    kernels: str
    threads: int
    ms: float
    kind: str
    source: str

    @property
    def core(self) -> str:
        """The core design: what makes boards a family."""
        return self.machine.cpu.core

    @property
    def work(self) -> Work:
        """Of its network."""
        return work_of_named(self.network)


def published_figures() -> tuple[Figure, ...]:
    """Those of processors; of GPUs too few are published to learn from."""
    return tuple(
        Figure(
            row.machine,
            NamedNetwork(row.family, row.alpha, row.resolution),
            row.precision,
            row.backend or row.runtime,
            row.threads,
            row.ms,
            PUBLISHED,
            row.source,
        )
        for row in published_latencies()
        if not row.gpu
    )


def recorded_figures(paths: Iterable[Path]) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """Figures of reports of ``edgenet profile``, and why the others are left out.

    A report counts where its network has a name of the papers ("v1-1.0-224", as ``edgenet sweep`` builds
    them), its verdict is VALID, and the clock of its processor is known.
    """
    figures, left = [], []
    for path in paths:
        try:
            figures.append(_recorded(Report.load(path), str(path)))
        except (EdgenetError, _LeftOut) as error:
            left.append(str(error) if str(path) in str(error) else f"{path}: {error}")
    return tuple(figures), tuple(left)


class _LeftOut(Exception):
    """Why a report says nothing here."""


def _recorded(report: Report, path: str) -> Figure:
    network = named(report.bundle.model)
    if network is None:
        raise _LeftOut(f"{report.bundle.model} is no network of the papers by its name")
    if report.verdict.state != VALID:
        raise _LeftOut(f"its verdict is {report.verdict.state}")
    if report.bundle.backend == "tensorrt":
        raise _LeftOut("it is of a GPU")
    if report.bundle.precision not in SIZES:
        raise _LeftOut(f"nothing is estimated at {report.bundle.precision}")
    rules = report.protocol
    machine = _machine(Target.load(report.device.target), Facts.from_table(report.device.facts, path))
    return Figure(
        machine,
        network,
        report.bundle.precision,
        report.bundle.backend,
        rules.threads_used or rules.threads or 0,
        report.latency_ms.mean,
        RECORDED,
        path,
    )


def _machine(target: Target, facts: Facts) -> Machine:
    """The board at the clock that it told; on a board of no target what it told of itself."""
    clock = facts.clock_max_mhz or target.cpu.clock_mhz
    if not clock:
        raise _LeftOut("the clock of its processor is not known")
    if target.cpu.core and target.cpu.clock_mhz:
        return replace(machine_of(target), cpu=replace(target.cpu, clock_mhz=clock))
    cpu = Cpu(facts.machine or "", facts.cpu or "", facts.cores, facts.isa, clock)
    return Machine(name=facts.board or target.name, cpu=cpu, memory_gb_s=target.memory_gb_s)
