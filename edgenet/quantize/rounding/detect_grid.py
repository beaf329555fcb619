"""Find weights that already lie on an int8 grid: of a network that was trained for int8."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.quantize.rounding.limits import LIMIT

__all__ = ["grid_scales"]

# A weight may be off its grid by this share of a step: float32, and products of scales.
TOLERANCE = 0.02
PROBES = 24

Array = NDArray[np.float64]


def grid_scales(kernel: NDArray[np.floating]) -> Array:
    """The scale with which each output channel's weights are integers within ±127.

    Rounding such a channel with this scale costs nothing; with any other it does. Networks trained with
    simulated quantization (Jacob et al., arXiv 1712.05877, section 3) end there.

    Args:
        kernel: [outputs, ...].

    Returns:
        float64 [outputs], the coarsest such scale; 0 where there is none.
    """
    rows = kernel.reshape(len(kernel), -1).astype(np.float64)
    largest, found = np.abs(rows).max(axis=1), np.zeros(len(rows))
    order = np.argsort(-np.abs(rows), axis=1)[:, :: max(1, rows.shape[1] // PROBES)]
    some = np.take_along_axis(rows, order, axis=1)
    for steps in range(1, LIMIT + 1):
        scales = largest / steps
        left = np.flatnonzero((found == 0) & (largest > 0))
        left = left[_whole(some[left], scales[left])]
        left = left[_whole(rows[left], scales[left])]
        found[left] = scales[left]
    return found


def _whole(rows: Array, scales: Array) -> NDArray[np.bool_]:
    steps = rows / scales[:, None]
    return np.asarray((np.abs(steps - np.round(steps)) < TOLERANCE).all(axis=1))
