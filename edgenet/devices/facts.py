"""What a board says about itself, checked (docs/agent-protocol.md, Facts); ``None`` is not said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from edgenet.json_value import Count, NotNegative, Within
from edgenet.record import Record

__all__ = ["Cluster", "Facts"]

# Until the year 10000; what reads a clock can read this one.
UnixTime = Annotated[float, Within(least=0, most=253_402_300_799)]
Cores = Annotated[int, Within(least=1, most=4096)]


@dataclass(frozen=True, kw_only=True)
class Cluster(Record):
    """Cores of one kind."""

    cores: tuple[Count, ...]
    cpu: str | None = None
    capacity: Count | None = None
    max_mhz: Count | None = None


@dataclass(frozen=True, kw_only=True)
class Facts(Record):
    """The types of the facts; they travel on as the flat table that they are in reports and targets."""

    protocol: int | None = None
    agent: str | None = None
    machine: str | None = None
    system: str | None = None
    kernel: str | None = None
    os: str | None = None
    glibc: str | None = None
    page_size: Count | None = None
    uptime_s: NotNegative | None = None
    clock_s: UnixTime | None = None
    emulated: bool | None = None
    shell: str | None = None
    encoding: str | None = None
    python: str | None = None
    python_executable: str | None = None
    python_implementation: str | None = None
    python_bits: Count | None = None
    board: str | None = None
    compatible: tuple[str, ...] | None = None
    module: str | None = None
    cpu: str | None = None
    cpu_parts: tuple[str, ...] | None = None
    clusters: tuple[Cluster, ...] | None = None
    cores: Cores | None = None
    isa: tuple[str, ...] | None = None
    clock_min_mhz: NotNegative | None = None
    clock_max_mhz: NotNegative | None = None
    memory_mb: NotNegative | None = None
    memory_available_mb: NotNegative | None = None
    swap_mb: NotNegative | None = None
    disk_free_mb: NotNegative | None = None
    noexec: bool | None = None
    governor: str | None = None
    temperature_c: float | None = None
    throttled: int | None = None
    throttled_now: tuple[str, ...] | None = None
    throttled_since_boot: tuple[str, ...] | None = None
    throttle_events: Count | None = None
    power_w: float | None = None
    power_source: str | None = None
    absent: Mapping[str, str] | None = None
    l4t: str | None = None
    jetpack: str | None = None
    cuda: str | None = None
    tensorrt: str | None = None
    tensorrt_python: bool | None = None
    dla_compiler: bool | None = None
    power_mode: str | None = None
    cameras: tuple[str, ...] | None = None
    camera_programs: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    runtimes: Mapping[str, str] | None = None
    runtimes_broken: Mapping[str, str] | None = None
    decodes: tuple[str, ...] | None = None
