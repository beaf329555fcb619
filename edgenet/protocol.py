"""A protocol: how to measure, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgenet.errors import LibraryError
from edgenet.library import read_table
from edgenet.notebook import Shown

__all__ = ["Protocol"]


@dataclass(frozen=True)
class Protocol(Shown):
    """The rules of a measurement, from ``profiles/protocols/NAME.toml``.

    Attributes:
        name: Short name.
        summary: One line for people.
        warmup_s: At least so long, in seconds, before anything counts; longer until it is steady.
        min_seconds: Measure at least so long …
        min_runs: … and at least so many runs …
        max_seconds: … but stop here.
        threads: Threads of the runtime; 0 means every core.
        pipeline: Whether the whole way from image bytes to label is measured too.
        pipeline_s: It at least so long, in place of ``min_seconds``; 0 for as long as the model.
        cooldown_s: Rest before measuring, in seconds.
        layers_s: How long the layers are timed, all together, after the rest; 0 leaves them out.
        idle_s: How long the waiting board's power is read first, where it can be.
        sweep_threads: Whether 1 … every core are tried first, and the fastest is measured.
        cold_starts: How often the model's process is started anew to time its first answer.

    Examples:
        >>> edgenet.Protocol.load("quick").min_seconds
        1.0
    """

    name: str
    summary: str = field(repr=False)
    warmup_s: float
    min_seconds: float
    min_runs: int
    max_seconds: float
    threads: int
    pipeline: bool
    cooldown_s: float
    layers_s: float = 0.0
    idle_s: float = 0.0
    sweep_threads: bool = False
    cold_starts: int = 0
    pipeline_s: float = 0.0

    @property
    def longest_s(self) -> float:
        """At least how long the longer of the stages runs."""
        return max(self.min_seconds, self.pipeline_s if self.pipeline else 0.0)

    def _title(self) -> str:
        return f"protocol {self.name}"

    def _rows(self) -> Mapping[str, Any]:
        return {"summary": self.summary, **super()._rows()}

    @classmethod
    def load(cls, name: Path | str) -> Protocol:
        """Read a protocol by name or path.

        Raises:
            LibraryError: Not found, or a value is missing, of the wrong type, negative or infinite.
        """
        table = read_table("protocol", name)
        protocol = cls(
            name=table.take("name", str),
            summary=table.take("summary", str),
            warmup_s=float(table.number("warmup_s", float, ...)),
            min_seconds=float(table.number("min_seconds", float, ...)),
            min_runs=table.number("min_runs", int, ...),
            max_seconds=float(table.number("max_seconds", float, ...)),
            threads=table.number("threads", int, 0),
            pipeline=table.take("pipeline", bool, True),
            cooldown_s=float(table.number("cooldown_s", float, 0.0)),
            layers_s=float(table.number("layers_s", float, 0.0)),
            idle_s=float(table.number("idle_s", float, 0.0)),
            sweep_threads=table.take("sweep_threads", bool, False),
            cold_starts=table.number("cold_starts", int, 0),
            pipeline_s=float(table.number("pipeline_s", float, 0.0)),
        )
        table.done()
        if protocol.min_runs < 1 or protocol.max_seconds < protocol.longest_s:
            raise LibraryError(
                f"{table.where}: min_runs is below 1, or max_seconds ends before a stage may", "correct it"
            )
        return protocol

    def to_table(self) -> dict[str, Any]:
        """All values, JSON-ready: what the agent is sent and the report keeps."""
        return asdict(self)
