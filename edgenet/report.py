"""A report: everything a measurement found, as saved data with units and provenance."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ReportError
from edgenet.files import write_atomic
from edgenet.statistics import median_interval

__all__ = ["SCHEMA", "Report", "latency"]

SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """One bundle measured on one board.

    Attributes:
        schema: Version of this form.
        bundle: digest, model, backend, precision, size_bytes (of the artifact).
        device: name (as the user wrote it), target, facts.
        protocol: The rules it was measured by.
        latency_ms: min, p50, p90, p99, mean, stdev and the raw samples of one invocation, in ms.
        fps: Frames a second: "model" (invoke only), "pipeline" (image bytes in, label out) or ``None``.
        pipeline_ms: The same figures of the whole way, with the mean of its parts, or ``None``.
        memory_mb: load, first_run (growth), peak; MB of 1e6 bytes; ``None`` where not readable.
        layers: name, op, ms of every layer, where the runtime tells.
        drift: What the answers lost, see ``docs/report.md``.
        sensors: Readings before, during and after.
        verdict: state VALID, NOISY, THROTTLED, UNDERVOLT or EMULATED, its reasons, and the limits
            that were asked for.
        layer_facts: How the layers were timed, what of the whole they leave over; ``None`` where nothing was.
        roofline: What the model reaches of what the board can do; ``None`` where that is not known.
        energy: Joules a frame; ``None`` where they are not known.
        more: What only some protocols measure.
    """

    schema: int
    bundle: Mapping[str, Any]
    device: Mapping[str, Any]
    protocol: Mapping[str, Any]
    latency_ms: Mapping[str, Any]
    fps: Mapping[str, float | None]
    pipeline_ms: Mapping[str, Any] | None
    memory_mb: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    drift: Mapping[str, Any]
    sensors: Mapping[str, Any]
    verdict: Mapping[str, Any]
    layer_facts: Mapping[str, Any] | None = None
    roofline: Mapping[str, Any] | None = None
    energy: Mapping[str, Any] | None = None
    more: Mapping[str, Any] | None = None

    @classmethod
    def load(cls, path: Path | str) -> Report:
        """Read a ``report.json``.

        Raises:
            ReportError: Not readable, not a report, or of another schema.
        """
        path = Path(path)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ReportError(f"{path}: cannot be read ({error.strerror})", "give a report.json") from None
        except ValueError as error:
            raise ReportError(f"{path}: not a report, or truncated ({error})", "profile again") from None
        if not isinstance(values, dict) or values.get("schema") != SCHEMA:
            found = values.get("schema") if isinstance(values, dict) else None
            raise ReportError(f"{path}: schema {found!r}, this edgenet reads {SCHEMA}", "profile again")
        names = [item.name for item in fields(cls)]
        needed = [item.name for item in fields(cls) if item.default is MISSING]
        missing = [name for name in needed if name not in values]
        if missing:
            raise ReportError(f"{path}: no {missing[0]!r} in it", "profile again")
        report = cls(**{name: values[name] for name in names if name in values})
        report._check(path)
        return report

    def _check(self, path: Path) -> None:
        """The figures that comparing relies on are numbers."""
        figures = {
            "latency_ms.p50": self.latency_ms.get("p50"),
            "fps.model": self.fps.get("model"),
            "drift.agreement": self.drift.get("agreement"),
        }
        for name, value in figures.items():
            if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
                raise ReportError(f"{path}: {name} is {value!r}, not a number", "profile again")

    @property
    def over_limit(self) -> bool:
        """Whether a limit that was asked for is exceeded."""
        return any(not limit["passed"] for limit in self.verdict.get("limits", []))

    @property
    def emulated(self) -> bool:
        """Whether the board was a simulation, whose speed is nobody's."""
        return self.verdict.get("state") == "EMULATED"

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def write(self, path: Path | str) -> None:
        """Save as JSON, all of it or nothing."""
        write_atomic(Path(path), (json.dumps(self.to_table(), indent=1) + "\n").encode())


def latency(samples_ms: NDArray[np.float64], stride: int = 1) -> dict[str, Any]:
    """Summary of samples in ms: min, p50, p90, p99 (linear interpolation), mean, stdev, samples.

    Args:
        samples_ms: float64 [n], in the order they were taken.
        stride: Every how many runs one sample was kept.
    """
    spread = median_interval(samples_ms)
    p50, p90, p99 = (float(value) for value in np.percentile(samples_ms, (50, 90, 99)))
    return {
        "min": float(samples_ms.min()),
        "p50": p50,
        "p50_interval": list(spread) if spread else None,
        "p90": p90,
        "p99": p99,
        "mean": float(samples_ms.mean()),
        "stdev": float(samples_ms.std(ddof=1)) if len(samples_ms) > 1 else 0.0,
        "stride": stride,
        "samples": [round(float(value), 6) for value in samples_ms],
    }
