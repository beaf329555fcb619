"""The integers that weights may become: ±127, and together in one lane no more than it takes.

Two weights of a lane (:mod:`edgenet.graph.qdq.lanes`) limit their sum: what the one leaves is the other's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.qdq.lanes import LANE, Lanes
from edgenet.graph.qparams import LARGEST_WEIGHT as LIMIT

__all__ = ["LIMIT", "NO_LANES", "apart", "partners", "within"]

NO_LANES: Lanes = np.empty((0, 2), np.int64)

Array = NDArray[np.float64]


def apart(one: Array, other: Array) -> tuple[Array, Array]:
    """The integers nearest to two of one lane that fit into it."""
    excess = np.maximum(np.abs(one + other) - LANE, 0)
    return one - np.sign(one) * np.ceil(excess / 2), other - np.sign(other) * np.floor(excess / 2)


def within(values: Array, other: Array | None = None) -> Array:
    """Integers clipped to ±127 and to what ``other``, which is settled, leaves of their lane."""
    clipped = np.minimum(np.maximum(values, -LIMIT), LIMIT)  # in half the time of np.clip, for short arrays
    return clipped if other is None else np.minimum(np.maximum(clipped, -LANE - other), LANE - other)


def partners(lanes: Lanes, columns: NDArray[np.int64]) -> list[int]:
    """Where the other weight of a lane stands; -1 where there is none.

    Args:
        lanes: Pairs of columns.
        columns: All columns, in the order in which they are worked on.
    """
    places, found = np.argsort(columns), np.full(len(columns), -1)
    found[places[lanes]] = places[lanes[:, ::-1]]
    return found.tolist()
