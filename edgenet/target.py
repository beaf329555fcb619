"""A target: the facts about one board that decide what can be built for it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.library import Table, read_table

__all__ = ["BackendSupport", "Cpu", "Target"]


# The features that decide which int8 kernels a CPU can run, as /proc/cpuinfo writes them.
ISA = (
    "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve2", "atomics",
    "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8",
)  # fmt: skip


@dataclass(frozen=True)
class Cpu:
    """The processor.

    Attributes:
        machine: What ``uname -m`` says: "aarch64", "x86_64".
        core: Core design, e.g. "Cortex-A72".
        cores: Number of cores; 0 when not known.
        isa: Instruction set features that matter: asimddp, i8mm, asimdhp, avx2, avx512_vnni, avx_vnni …
        clock_mhz: Highest clock; 0 when not known.
    """

    machine: str
    core: str
    cores: int
    isa: tuple[str, ...]
    clock_mhz: int

    @property
    def is_x86(self) -> bool:
        """Whether it is a 64-bit x86."""
        return self.machine.lower() in ("x86_64", "amd64")


@dataclass(frozen=True)
class BackendSupport:
    """What one backend can do on a board.

    Attributes:
        precisions: Those that can run there.
        built: "host" or "device": where the artifact is finished.
        refused: Precision → the reason why it cannot run there.
        versions: Of the runtime, as the board's systems bring it; empty where edgenet brings its own.
        dla_core: The deep learning accelerator to use instead of the GPU, where one is wanted.
    """

    precisions: tuple[str, ...]
    built: str
    refused: Mapping[str, str]
    versions: tuple[str, ...] = ()
    dla_core: int | None = None


@dataclass(frozen=True)
class Target:
    """One board, from ``targets/NAME.toml``.

    Attributes:
        name: Short name, the file's stem.
        title: What people call the board.
        verified: Whether edgenet was run on a real one.
        sources: Where the facts come from.
        cpu: The processor.
        memory_mb: RAM sizes the board is sold with.
        backends: Backend name → support, the preferred backend first.
        default_precision: What `compile` chooses when not told.
        threads: Threads to run with; 0 means every core.
        notes: What a user should know.
        facts: Everything else the file says, as it stands there.
    """

    name: str
    title: str
    verified: bool
    sources: tuple[str, ...]
    cpu: Cpu
    memory_mb: tuple[int, ...]
    backends: Mapping[str, BackendSupport]
    default_precision: str
    threads: int
    notes: tuple[str, ...]
    facts: Mapping[str, Any]

    @classmethod
    def load(cls, name: str) -> Target:
        """Read a target by name or path.

        Raises:
            LibraryError: Not found, or a key is missing or of the wrong type.
        """
        table = read_table("target", name)
        return cls(
            name=table.take("name", str),
            title=table.take("title", str),
            verified=table.take("verified", bool),
            sources=tuple(table.take("sources", list, [])),
            cpu=_cpu(table.table("cpu")),
            memory_mb=tuple(table.take("memory_mb", list, [])),
            backends={key: _support(item) for key, item in _tables(table.table("backends"))},
            default_precision=table.take("default_precision", str, "int8"),
            threads=table.take("threads", int, 0),
            notes=tuple(table.take("notes", list, [])),
            facts=table.rest(),
        )


def _cpu(table: Table) -> Cpu:
    cpu = Cpu(
        machine=table.take("machine", str),
        core=table.take("core", str, ""),
        cores=table.take("cores", int, 0),
        isa=tuple(table.take("isa", list, [])),
        clock_mhz=table.take("clock_mhz", int, 0),
    )
    table.done()
    return _host_cpu() if cpu.machine == "host" else cpu


def _host_cpu() -> Cpu:
    """This machine's processor; features from /proc/cpuinfo where there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in lines)
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    features = set((fields.get("flags") or fields.get("Features") or "").split())
    return Cpu(
        machine={"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine()),
        core=fields.get("model name", platform.processor()),
        cores=os.cpu_count() or 0,
        isa=tuple(name for name in ISA if name in features),
        clock_mhz=0,
    )


def _tables(table: Table) -> list[tuple[str, Table]]:
    return [(key, Table(value, f"{table.where}.{key}")) for key, value in table.rest().items()]


def _support(table: Table) -> BackendSupport:
    support = BackendSupport(
        precisions=tuple(table.take("precisions", list)),
        built=table.take("built", str, "host"),
        refused=dict(table.take("refused", dict, {})),
        versions=tuple(table.take("versions", list, [])),
        dla_core=table.take("dla_core", int, None),
    )
    table.done()
    return support
