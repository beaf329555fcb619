"""Boxes of two detectors on one picture: which are the same object, which are lost, which are new."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.detection.detector import Found
from edgenet.agent.detection.suppression import overlaps

__all__ = ["MATCHED", "Matched", "matched", "moved"]

# Intersection over union from which two boxes are of the same object.
MATCHED = 0.5


class Matched(NamedTuple):
    """Boxes of one picture, the reference's beside the board's.

    Attributes:
        pairs: int [k, 2]: indices (board, reference) of boxes of the same object.
        overlap: float64 [k]: their intersection over union.
        lost: int [l]: the reference's without one of the board.
        new: int [m]: the board's without one of the reference.
    """

    pairs: NDArray[np.int64]
    overlap: NDArray[np.float64]
    lost: NDArray[np.int64]
    new: NDArray[np.int64]

    @property
    def same(self) -> bool:
        """Whether both found the same objects."""
        return not len(self.lost) and not len(self.new)


def matched(board: Found, reference: Found) -> Matched:
    """Match the boxes of one picture.

    Each box of the reference, the most certain first, takes the board's box of its class that overlaps it
    most and is not taken, from :data:`MATCHED` on.
    """
    pairs: list[tuple[int, int]] = []
    overlap: list[float] = []
    free = np.ones(len(board.boxes), bool)
    for own in range(len(reference.boxes) if len(free) else 0):
        near = overlaps(reference.boxes[own : own + 1], board.boxes)[0]
        near[~free | (board.classes != reference.classes[own])] = 0.0
        best = int(near.argmax())
        if near[best] >= MATCHED:
            pairs.append((best, own))
            overlap.append(float(near[best]))
            free[best] = False
    found = np.asarray(pairs, np.int64).reshape(-1, 2)
    return Matched(
        found,
        np.asarray(overlap, np.float64),
        np.setdiff1d(np.arange(len(reference.boxes)), found[:, 1]),
        np.setdiff1d(np.arange(len(board.boxes)), found[:, 0]),
    )


def moved(board: Found, reference: Found) -> float:
    """How far the board's objects of one picture are from the reference's.

    The scores of those that only one has, and what the boxes of the others lack of each other, 1 - overlap.
    """
    found = matched(board, reference)
    alone = reference.scores[found.lost].sum() + board.scores[found.new].sum()
    return float(alone + (1.0 - found.overlap).sum())
