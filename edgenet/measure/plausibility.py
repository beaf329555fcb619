"""Figures that contradict each other are withheld: one of them is wrong, and nobody can say which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgenet.breakdown import Layer
from edgenet.devices.session import BenchResult

__all__ = ["impossible_layers", "impossible_pipeline"]

# The pipeline holds the model, so its median cannot be shorter; by so much chance may make it so.
CHANCE = 0.03
# The share of computing layers that may seem to take no time: small ones end within the clock's noise.
TIMELESS = 0.25


def impossible_pipeline(bench: BenchResult) -> str | None:
    """Why the pipeline's figures cannot be, or ``None``: frames that took less time than their model."""
    if not len(bench.pipeline_ms):
        return None
    whole, part = (float(np.median(samples)) for samples in (bench.pipeline_ms, bench.model_ms))
    if whole >= (1 - CHANCE) * part:
        return None
    return (
        f"a frame from bytes to label took {whole:.3g} ms and its model alone {part:.3g} ms: "
        "the board's speed changed between the two"
    )


def impossible_layers(rows: Sequence[Layer]) -> str | None:
    """Why the layers' times cannot be, or ``None``: layers that compute and seem to take no time."""
    computing = [row for row in rows if row.macs]
    timeless = sum(row.ms == 0 for row in computing)
    if timeless <= TIMELESS * len(computing):
        return None
    return (
        f"{timeless} of {len(computing)} layers that compute seem to take no time: "
        "what disturbed the board is larger than its layers"
    )
