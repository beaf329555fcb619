"""Where a long run settles, once the board is as warm as it gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.breakdown import Sustained
from edgenet.devices.session import BenchResult
from edgenet.protocol import Protocol

__all__ = ["settled"]

# A long run has settled when no later minute differs from its last by more.
SETTLED, SLICE_S = 0.03, 15.0


def settled(bench: BenchResult, rules: Protocol) -> Sustained | None:
    """How a long run's FPS went and where it settled; ``None`` for a run of less than four slices of 15 s.

    Of the pipeline where that runs longer than the model alone, else of the model.

    Returns:
        ``curve`` of (seconds, FPS), ``first_fps``, ``settled_fps`` (median of the last quarter), ``ratio`` of
        both, the ``stage``, ``settled_after_s``: from when on every slice is within 3 % of it, or ``None``.
    """
    stage = "pipeline" if rules.pipeline and rules.pipeline_s > rules.min_seconds else "model"
    samples = bench.pipeline_ms if stage == "pipeline" else bench.model_ms
    if rules.longest_s < 4 * SLICE_S or not len(samples):
        return None
    curve = _curve(samples, bench.stride.get(stage, 1))
    if len(curve) < 4:
        return None
    level = float(np.median([fps for _, fps in curve[-(len(curve) // 4) :]]))
    off = [at for at, fps in curve if abs(fps / level - 1) > SETTLED]
    after = 0.0 if not off else next((at for at, _ in curve if at > off[-1]), None)
    return Sustained(
        curve=tuple((round(at, 1), round(fps, 3)) for at, fps in curve),
        first_fps=curve[0][1],
        settled_fps=level,
        ratio=level / curve[0][1],
        settled_after_s=after,
        stage=stage,
    )


def _curve(samples_ms: NDArray[np.float64], stride: int) -> list[tuple[float, float]]:
    """(seconds at the end, FPS) of each slice of 15 s."""
    seconds = np.cumsum(samples_ms) * stride / 1e3
    marks = np.arange(SLICE_S, float(seconds[-1]) + 1e-9, SLICE_S)
    edges = np.searchsorted(seconds, marks)
    parts = [part for part in np.split(np.arange(len(seconds)), edges)[:-1] if len(part)]
    return [(float(seconds[part[-1]]), 1e3 / float(samples_ms[part].mean())) for part in parts]
