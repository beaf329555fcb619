"""Whether one run was faster than another, as far as their samples can tell."""

from __future__ import annotations

from dataclasses import dataclass

from edgenet.measured import Latency
from edgenet.report import Report
from edgenet.statistics import median_ratio

__all__ = ["CANNOT_TELL", "FASTER", "SLOWER", "VALID", "SpeedChange", "pipeline_change", "speed_change"]

# Below this the two are called equal even where the samples could tell them apart.
SAME = 0.01
VALID = "VALID"
FASTER = "faster"
SLOWER = "slower"
CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class SpeedChange:
    """How much longer the second run takes.

    Attributes:
        ratio: Its median over the first's.
        interval: The ratio's 95 % interval; ``None`` where there are too few samples for one.
        word: "faster" or "slower"; else "cannot tell", where the runs are why with the reason.
    """

    ratio: float
    interval: tuple[float, float] | None
    word: str

    @property
    def told(self) -> bool:
        """Whether the samples tell the two apart."""
        return self.word in (FASTER, SLOWER)


def speed_change(first: Report, second: Report) -> SpeedChange:
    """The second's network against the first's."""
    return _change(first, second, first.latency_ms, second.latency_ms)


def pipeline_change(first: Report, second: Report) -> SpeedChange | None:
    """The second's whole pipeline against the first's.

    Returns:
        ``None`` where one has none, or the two were measured on different frames.
    """
    if first.pipeline_ms is None or second.pipeline_ms is None or first.frame != second.frame:
        return None
    return _change(first, second, first.pipeline_ms, second.pipeline_ms)


def _change(first: Report, second: Report, one: Latency, other: Latency) -> SpeedChange:
    ratio, interval = median_ratio(one.array(), other.array())
    return SpeedChange(ratio, interval, _word(first, second, interval))


def _word(first: Report, second: Report, interval: tuple[float, float] | None) -> str:
    """Whether the second is faster, where both were measured well enough to tell."""
    states = dict.fromkeys(item.verdict.state for item in (first, second) if item.verdict.state != VALID)
    if states:
        return f"{CANNOT_TELL} ({', '.join(states).lower()})"
    if interval is not None and interval[1] < 1 - SAME:
        return FASTER
    return SLOWER if interval is not None and interval[0] > 1 + SAME else CANNOT_TELL
