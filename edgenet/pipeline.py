"""The whole way from a picture's bytes to its label: how long it takes, and what would shorten it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from edgenet.json_value import Count, NotNegative
from edgenet.measured import Interval, Latency, Milliseconds
from edgenet.record import Record

__all__ = ["FrameSteps", "FrameTry", "PipelineLatency"]

# What saves less than this share is no step, even where the rounds could tell it.
SAME = 0.01


@dataclass(frozen=True, kw_only=True)
class FrameTry(Record):
    """Another form of frames, run in turn with the one that was asked for.

    Attributes:
        change: What to do for it, in words.
        frame: The form: "jpeg 352x288".
        p50: Median of the whole way, ms.
        saves_ms: Median over the rounds of what a run took less; below 0 where it took more.
        saves_interval: 95 % of it; ``None`` below 25 rounds.
        parts: Mean ms of each part.
    """

    change: str
    frame: str
    p50: Milliseconds
    saves_ms: float
    saves_interval: Interval | None
    parts: Mapping[str, NotNegative] = field(default_factory=dict)

    @property
    def faster(self) -> bool:
        """Whether it surely saves more than a hundredth of what it takes."""
        return self.saves_interval is not None and self.saves_interval[0] > SAME * self.p50

    @property
    def words(self) -> str:
        """What to do and what it saves: "capture at 352x288: −3.1 ms"."""
        sign = "−" if self.saves_ms >= 0 else "+"
        return f"{self.change}: {sign}{abs(self.saves_ms):.3g} ms"


@dataclass(frozen=True, kw_only=True)
class FrameSteps(Record):
    """What would make the camera's case faster, measured on the board; or only ``absent``, why it was not.

    Attributes:
        p50: Median of the whole way in the form that was asked for, in turn with the others, ms.
        rounds: How often each ran.
        tried: The other forms.
        absent: Why there are none.
    """

    p50: Milliseconds | None = None
    rounds: Count | None = None
    tried: tuple[FrameTry, ...] = ()
    absent: str | None = None

    @property
    def best(self) -> FrameTry | None:
        """The one that saves most; ``None`` where none saves more than its noise."""
        return max((item for item in self.tried if item.faster), key=lambda item: item.saves_ms, default=None)


@dataclass(frozen=True, kw_only=True)
class PipelineLatency(Latency):
    """The same of the whole way from image bytes to label.

    Attributes:
        parts: Mean ms of decode, fit, invoke, post.
        parts_absent: Which of them is not there, and why.
        frame: The camera's form of frames that it was measured on: "jpeg 640x480"; ``None`` where it was the
            images as files hold them.
        frame_bytes: Of a frame, mean.
        steps: What would make it faster.
    """

    parts: Mapping[str, NotNegative] = field(default_factory=dict)
    parts_absent: Mapping[str, str] | None = None
    frame: str | None = None
    frame_bytes: NotNegative | None = None
    steps: FrameSteps | None = None

    @classmethod
    def of_latency(cls, whole: Latency, **values: Any) -> PipelineLatency:
        """The latency of the whole way, with what is known of it."""
        return cls(**{item.name: getattr(whole, item.name) for item in fields(whole)}, **values)
