"""What quantizing did and what it cost."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Quantization", "Stopwatch", "peak_mb"]


@dataclass(frozen=True)
class Quantization:
    """The account of one run.

    Attributes:
        seconds: Wall time.
        images: Calibration images used.
        peak_mb: Peak resident memory of the process until now, in MB (1e6 bytes); ``None`` if not known.
        layers: One record a layer: name, op, range of its output in real units, sqnr_db (signal to
            quantization noise, in dB) and what rounding won there.
        stages: Stage → wall seconds.
        passes: What each pass won, in order: pass, agreement with the float network and Kullback-Leibler
            divergence of the class probabilities, on some of the calibration images.
        notes: What a user should know of the data or the model, one sentence each.
        reused: Dead channels that carry copies.
        equalized: Tensors whose channels were scaled.
        attempts: What was tried to keep a drift limit, the last one used: float_steps, estimated_time (1 is
            all int8), agreement and expected_loss_pp on calibration images that rounding did not see.
    """

    seconds: float
    images: int
    peak_mb: float | None
    layers: tuple[dict[str, Any], ...]
    stages: dict[str, float] = field(default_factory=dict)
    passes: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    reused: int = 0
    equalized: int = 0
    attempts: tuple[dict[str, Any], ...] = ()

    def facts(self) -> dict[str, Any]:
        """What the same inputs always give, for a bundle's manifest."""
        return {
            "layers": list(self.layers),
            "passes": list(self.passes),
            "notes": list(self.notes),
            "dead_channels_reused": self.reused,
            "tensors_equalized": self.equalized,
            "attempts": list(self.attempts),
        }

    def to_table(self) -> dict[str, Any]:
        """JSON-ready: the facts and what they cost here."""
        return {
            "seconds": round(self.seconds, 3),
            "images": self.images,
            "peak_mb": self.peak_mb,
            "stages": {name: round(seconds, 3) for name, seconds in self.stages.items()},
            **self.facts(),
        }


class Stopwatch:
    """Wall seconds by stage."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.stages: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.perf_counter() - self._began

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what happens within to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - began


def peak_mb() -> float | None:
    """Peak resident memory of this process, in MB (1e6 bytes); ``None`` where the system does not tell.

    Linux tells it in /proc for this program alone; ``getrusage`` also counts what started it.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return round(int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
