"""What a running demo tells of itself, checked (docs/demo.md); only what people are shown has a type here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgenet.json_value import Count, NotNegative
from edgenet.record import Record

__all__ = ["State", "Summary"]


@dataclass(frozen=True, kw_only=True)
class Rates(Record):
    """Frames a second."""

    camera: NotNegative | None = None


@dataclass(frozen=True, kw_only=True)
class Answering(Record):
    """A model: its name, and its best labels with their shares."""

    name: str
    top: tuple[tuple[str, float, int], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Spread(Record):
    """How long something took, ms; only the count where there was none."""

    count: Count
    p50: NotNegative = 0.0
    p99: NotNegative = 0.0
    max: NotNegative = 0.0


@dataclass(frozen=True, kw_only=True)
class Frames(Record):
    """How many."""

    answered: Count
    dropped: Count
    damaged: Count
    compared: Count
    disagreed: Count


@dataclass(frozen=True, kw_only=True)
class Source(Record):
    """Where the pictures come from."""

    name: str


@dataclass(frozen=True, kw_only=True)
class State(Record):
    """How it goes, four times a second."""

    frame: Count | None = None
    seconds: NotNegative = 0.0
    fps: Rates = Rates()
    age_ms: NotNegative = 0.0
    budget_ms: Mapping[str, NotNegative | None]
    models: tuple[Answering, ...]
    trouble: str | None = None


@dataclass(frozen=True, kw_only=True)
class Summary(Record):
    """The whole run."""

    seconds: NotNegative
    fps: Rates
    frames: Frames
    stages_ms: Mapping[str, Spread]
    glass_to_label_ms: Spread
    models: tuple[Answering, ...]
    source: Source
