"""A target: the facts about one board that decide what can be built for it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgenet.errors import LibraryError
from edgenet.library import Table, read_table
from edgenet.notebook import Shown
from edgenet.tflite_schema import has_litert

__all__ = ["VNNI", "BackendSupport", "Cpu", "Gpu", "Identity", "System", "Target"]

FREE = "free text belongs under [extra]"
CAPABILITY = re.compile(r"\d{1,3}\.\d{1,2}")
PYTHON = re.compile(r"\bPython (\d+)\.(\d+)")


# What macOS and Windows call them: Linux's names.
MACHINES = {"arm64": "aarch64", "ARM64": "aarch64", "AMD64": "x86_64"}
# The features that decide which int8 kernels a CPU can run, as /proc/cpuinfo writes them.
ISA = (
    "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve2", "atomics",
    "avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8",
)  # fmt: skip
VNNI = ("avx512_vnni", "avx_vnni", "amx_int8")


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

    @property
    def lacks_vnni(self) -> bool:
        """Whether it is an x86 without instructions that add products of int8 in 32 bits."""
        return self.is_x86 and not any(feature in self.isa for feature in VNNI)


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
class Gpu:
    """The GPU.

    Attributes:
        name: Generation and size, for people.
        compute_capabilities: NVIDIA's, "8.7"; several where the file stands for several GPUs.
        dla_cores: Deep learning accelerators beside it.
    """

    name: str
    compute_capabilities: tuple[str, ...] = ()
    dla_cores: int = 0

    @property
    def compute_capability(self) -> str:
        """The one compute capability; empty where none is known or several are."""
        return self.compute_capabilities[0] if len(self.compute_capabilities) == 1 else ""


@dataclass(frozen=True)
class System:
    """What the board runs: ``images``, its systems in words, with their Python and glibc where known."""

    images: tuple[str, ...] = ()

    @property
    def pythons(self) -> tuple[tuple[int, int], ...]:
        """The versions of Python that they name."""
        found = [PYTHON.search(image) for image in self.images]
        return tuple((int(match[1]), int(match[2])) for match in found if match)


@dataclass(frozen=True)
class Identity:
    """How a board says that it is this one.

    Attributes:
        compatible: Names of the device tree's root.
        modules: Beginnings of a module's identifier.
        board_models: Beginnings of the model's name.
    """

    compatible: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    board_models: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Target(Shown):
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
        memory_gb_s: Theoretical bandwidth of the memory in GB/s, where known.
        gpu: The GPU that a backend may use, where there is one.
        system: What it runs.
        identity: How it says that it is this board.
        extra: What else there is to say; nothing is decided by it.

    Examples:
        >>> edgenet.Target.load("raspberry-pi-4")
        <Target raspberry-pi-4, Raspberry Pi 4 Model B: tflite, onnxruntime>
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
    memory_gb_s: float | None = None
    gpu: Gpu | None = None
    system: System = System()
    identity: Identity = Identity()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Target {self.name}, {self.title}: {', '.join(self.backends)}>"

    def _title(self) -> str:
        return f"{self.title} ({self.name})"

    def _rows(self) -> Mapping[str, Any]:
        runs = {name: support.precisions for name, support in self.backends.items()}
        clock = f" at {self.cpu.clock_mhz} MHz" if self.cpu.clock_mhz else ""
        return {
            "processor": f"{self.cpu.cores or '?'} × {self.cpu.core or self.cpu.machine}{clock}",
            "memory MB": self.memory_mb,
            **({"GPU": self.gpu.name} if self.gpu else {}),
            **runs,
            "default precision": self.default_precision,
            "run by edgenet": "on a real board" if self.verified else "not yet",
            "notes": self.notes,
        }

    @classmethod
    def load(cls, name: Path | str) -> Target:
        """Read a target by name or path.

        Raises:
            LibraryError: Not found, or a key is missing, unknown or of the wrong type.
        """
        return cls.from_table(read_table("target", name))

    @classmethod
    def from_table(cls, table: Table) -> Target:
        """Read a target's table; every key in it must be known, except under ``[extra]``.

        Raises:
            LibraryError: A key is missing, unknown or of the wrong type.
        """
        cpu, here = _cpu(table.table("cpu"))
        backends = {key: _support(item) for key, item in _tables(table.table("backends"))}
        if here and not has_litert():
            backends.pop("tflite", None)
        target = cls(
            name=table.take("name", str),
            title=table.take("title", str),
            verified=table.take("verified", bool),
            sources=table.texts("sources"),
            cpu=cpu,
            memory_mb=_sizes(table),
            backends=backends,
            default_precision=table.take("default_precision", str, "int8"),
            threads=table.number("threads", int, 0),
            notes=table.texts("notes"),
            memory_gb_s=table.number("memory_gb_s", float, None),
            gpu=_gpu(table),
            system=_system(table.table("os")),
            identity=Identity(*(table.texts(key) for key in ("compatible", "modules", "board_models"))),
            extra=table.take("extra", dict, {}),
        )
        table.done(FREE)
        return target


def _cpu(table: Table) -> tuple[Cpu, bool]:
    """A board's processor, and whether it is this machine's."""
    cpu = Cpu(
        machine=table.take("machine", str),
        core=table.take("core", str, ""),
        cores=table.number("cores", int, 0),
        isa=table.texts("isa"),
        clock_mhz=table.number("clock_mhz", int, 0),
    )
    table.done(FREE)
    here = cpu.machine == "host"
    return _host_cpu() if here else cpu, here


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
        machine=MACHINES.get(platform.machine(), platform.machine()),
        core=fields.get("model name", platform.processor()),
        cores=os.cpu_count() or 0,
        isa=tuple(name for name in ISA if name in features),
        clock_mhz=0,
    )


def _gpu(parent: Table) -> Gpu | None:
    table = parent.table("gpu")
    one = table.take("compute_capability", str, None)
    gpu = Gpu(
        name=table.take("name", str, ""),
        compute_capabilities=(one,) if one is not None else table.texts("compute_capabilities"),
        dla_cores=table.number("dla_cores", int, 0),
    )
    table.done(FREE)
    wrong = [item for item in gpu.compute_capabilities if not CAPABILITY.fullmatch(item)]
    if wrong:
        raise LibraryError(f"{table.where}: {wrong[0]!r} is no compute capability", 'write it as "8.7"')
    return None if gpu == Gpu("") else gpu


def _system(table: Table) -> System:
    system = System(table.texts("images"))
    table.done(FREE)
    return system


def _sizes(table: Table) -> tuple[int, ...]:
    sizes = table.take("memory_mb", list, [])
    wrong = [size for size in sizes if isinstance(size, bool) or not isinstance(size, int) or size <= 0]
    if wrong:
        raise LibraryError(
            f"{table.where}: memory_mb holds {wrong[0]!r}, which is no size in MB", "correct it"
        )
    return tuple(sizes)


def _tables(table: Table) -> list[tuple[str, Table]]:
    values, where = table.rest(), table.where
    wrong = [key for key, value in values.items() if not isinstance(value, dict)]
    if wrong:
        raise LibraryError(f"{where}: {wrong[0]} = {values[wrong[0]]!r} is not a table", "correct it")
    return [(key, Table(value, f"{where}.{key}")) for key, value in values.items()]


def _support(table: Table) -> BackendSupport:
    support = BackendSupport(
        precisions=table.texts("precisions", None),
        built=table.take("built", str, "host"),
        refused=_reasons(table),
        versions=table.texts("versions"),
        dla_core=table.number("dla_core", int, None),
    )
    table.done(FREE)
    if support.built not in ("host", "device"):
        raise LibraryError(f"{table.where}: built = {support.built!r}", 'choose "host" or "device"')
    return support


def _reasons(table: Table) -> Mapping[str, str]:
    reasons = table.take("refused", dict, {})
    for precision, why in reasons.items():
        if not isinstance(why, str):
            raise LibraryError(
                f"{table.where}: refused.{precision} = {why!r} is no reason", "say why in words"
            )
    return dict(reasons)
