"""What a board says of itself when it is probed (docs/agent-protocol.md, Facts)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from edgenet.json_value import Count, Within
from edgenet.record import Record

__all__ = ["CoreCluster", "Facts"]

HOME = re.compile(r"^(?:/home/[^/]+|/Users/[^/]+|/root)(?=/|$)")
CoreCount = Annotated[int, Within(least=1, most=65_536)]
Core = Annotated[int, Within(least=0, most=65_536)]
Megabytes = Annotated[float, Within(least=0.0, most=1e12)]
Megahertz = Annotated[int, Within(least=0, most=10_000_000)]


@dataclass(frozen=True, kw_only=True)
class CoreCluster(Record):
    """Cores of one kind.

    Attributes:
        cores: Their numbers.
        cpu: The core design.
        capacity: In which the kernel compares cores, 1024 for the strongest; ``None`` where it does not tell.
        max_mhz: Their highest clock.
    """

    cores: tuple[Core, ...]
    cpu: str | None = None
    capacity: int | None = None
    max_mhz: Megahertz | None = None


@dataclass(frozen=True, kw_only=True)
class Facts(Record):
    """One board, in the order in which its agent tells it; ``None`` or empty is not known.

    MB are 1e6 bytes. ``absent`` says of a sensor why it cannot be read.

    Attributes:
        cores: How many cores the agent may use.
        clock_s: Unix time.
        noexec: Whether no library loads from edgenet's folder there.
        writable: Whether that folder can be written; a card at the end of its life cannot.
        compatible: The device tree's names, the exact one first.
        clusters: The kinds of core, the strongest first.
        sources: What a demo can look at there, the likeliest camera first.
        throttled: The firmware's bits; ``throttled_now`` and ``throttled_since_boot`` name them.
        runtimes: Version per backend whose runtime the board's own Python imports, of those asked for.
        runtimes_broken: Why the board's own does not import, per backend.
        packages: Version per package of its own Python that runtimes need, "" where it is not told: numpy.
        decodes: Image formats.
    """

    protocol: int | None = None
    agent: str | None = None
    machine: str | None = None
    system: str | None = None
    kernel: str | None = None
    python: str | None = None
    python_executable: str | None = None
    python_implementation: str | None = None
    python_bits: int | None = None
    glibc: str | None = None
    cores: CoreCount
    page_size: int | None = None
    disk_free_mb: Megabytes | None = None
    noexec: bool | None = None
    writable: bool | None = None
    shell: str | None = None
    encoding: str | None = None
    clock_s: float | None = None
    board: str | None = None
    compatible: tuple[str, ...] = ()
    os: str | None = None
    memory_mb: Megabytes | None = None
    memory_available_mb: Megabytes | None = None
    swap_mb: Megabytes | None = None
    uptime_s: float | None = None
    emulated: bool = False
    cameras: tuple[str, ...] = ()
    camera_programs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    cpu: str | None = None
    cpu_parts: tuple[str, ...] = ()
    clusters: tuple[CoreCluster, ...] = ()
    isa: tuple[str, ...] = ()
    clock_min_mhz: Megahertz | None = None
    clock_max_mhz: Megahertz | None = None
    l4t: str | None = None
    jetpack: str | None = None
    cuda: str | None = None
    tensorrt: str | None = None
    tensorrt_python: bool | None = None
    dla_compiler: bool | None = None
    power_mode: str | None = None
    module: str | None = None
    governor: str | None = None
    temperature_c: float | None = None
    throttled: Count | None = None
    throttled_now: tuple[str, ...] | None = None
    throttle_events: Count | None = None
    power_w: float | None = None
    power_source: str | None = None
    throttled_since_boot: tuple[str, ...] | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    runtimes: Mapping[str, str] = field(default_factory=dict)
    runtimes_broken: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    decodes: tuple[str, ...] = ()

    def _title(self) -> str:
        return self.board or self.os or "a board"

    def _rows(self) -> Mapping[str, Any]:
        """What it is and what it can run; all else is in the fields."""
        heat = "–" if self.temperature_c is None else f"{self.temperature_c:.1f} °C"
        return {
            "system": f"{self.os}, {self.machine}, Python {self.python}",
            "processor": f"{self.cores} × {self.cpu or self.machine}",
            "features": self.isa,
            "memory": f"{self.memory_available_mb or 0:.0f} MB available of {self.memory_mb or 0:.0f}",
            "disk": f"{self.disk_free_mb or 0:.0f} MB free",
            "temperature": heat,
            "governor": self.governor or "–",
            "throttled": ("not known" if self.throttled_now is None else self.throttled_now or "no"),
            "runtimes of its own": self.runtimes or "none",
            "a demo can look at": self.sources or "nothing",
            **({"emulated": "its answers count, its speed does not"} if self.emulated else {}),
        }

    def anonymous(self) -> Self:
        """The same without the name of the user whose home the board's Python lies in."""
        path = self.python_executable
        return self.changed(python_executable=None if path is None else HOME.sub("~", path))
