"""What quantizing did and what it cost."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from edgenet.json_value import Where, Within
from edgenet.record import Record

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
        passes: What each pass won, in order: pass, images, agreement with the float network and at least how
            much (agreement_at_least, 95 %), divergence, expected loss, on some of the calibration images.
        notes: What a user should know of the data or the model, one sentence each.
        reused: Dead channels that carry copies.
        equalized: Tensors whose channels were scaled.
        attempts: What was tried to keep a drift limit, the last one used: float_steps, estimated_time (1 is
            all int8), agreement and expected_loss_pp on calibration images that rounding did not see.
        variants: What was tried of a recipe's variants, the one that is used first: variant, images,
            agreement, divergence and expected_loss_pp on the half of the calibration images that it was not
            made with.
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
    variants: tuple[dict[str, Any], ...] = ()

    def facts(self) -> dict[str, Any]:
        """What the same inputs always give, for a bundle's manifest."""
        return {
            "layers": list(self.layers),
            "passes": list(self.passes),
            "notes": list(self.notes),
            "dead_channels_reused": self.reused,
            "tensors_equalized": self.equalized,
            "attempts": list(self.attempts),
            **({"variants": list(self.variants)} if self.variants else {}),
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

    @classmethod
    def from_table(cls, value: object, where: Where) -> Quantization:
        """Read what :meth:`to_table` gave.

        Raises:
            EdgenetError: The error of ``where``: a value is missing, of another type or out of bounds.
        """
        told = _Told.from_table(value, where)
        return cls(
            seconds=told.seconds,
            images=told.images,
            peak_mb=told.peak_mb,
            layers=tuple(dict(layer) for layer in told.layers),
            stages=dict(told.stages),
            passes=tuple(dict(line) for line in told.passes),
            notes=told.notes,
            reused=told.dead_channels_reused,
            equalized=told.tensors_equalized,
            attempts=tuple(dict(line) for line in told.attempts),
            variants=tuple(dict(line) for line in told.variants),
        )


Count = Annotated[int, Within(least=0, most=1e9)]
Positive = Annotated[float, Within(least=0, most=1e9)]
Line = Mapping[str, Any]
# What people are shown of every line, and so must be there.
SHOWN = {
    "layers": {"name": str, "sqnr_db": float},
    "passes": {"pass": str, "agreement": float, "expected_loss_pp": float},
    "attempts": {"float_steps": int, "estimated_time": float, "agreement": float, "expected_loss_pp": float},
}


@dataclass(frozen=True, kw_only=True)
class _Told(Record):
    """An account as it stands in a file."""

    seconds: Positive
    images: Count
    peak_mb: Positive | None
    stages: Mapping[str, Positive]
    layers: tuple[Line, ...]
    passes: tuple[Line, ...]
    notes: tuple[str, ...]
    dead_channels_reused: Count
    tensors_equalized: Count
    attempts: tuple[Line, ...]
    variants: tuple[Line, ...] = ()

    def check(self, where: Where) -> None:
        """Every line has what is shown of it, and there is a layer."""
        if not self.layers:
            raise where.at("layers").refuse(0, "at least one layer")
        for part, wanted in SHOWN.items():
            for index, line in enumerate(getattr(self, part)):
                for key, kind in wanted.items():
                    value = line.get(key)
                    fits = isinstance(value, int | float) if kind is not str else isinstance(value, str)
                    if isinstance(value, bool) or not fits:
                        raise where.at(part).at(index).at(key).refuse(value, f"a {kind.__name__}")


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
