"""What a detector should answer: the sign and the box codes of each anchor (SSD, section 2.2)."""

from __future__ import annotations

import numpy as np

__all__ = ["targets"]

MATCHED, UNSURE = 0.5, 0.4
IGNORED = -1


def targets(
    anchors: np.ndarray, boxes: np.ndarray, columns: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Match anchors and boxes.

    An anchor is of the box that it has most in common with, from an intersection over union of one half; and
    each box has its best anchor in any case. Anchors from 0.4 to one half are neither a box's nor background.

    Args:
        anchors: [N, 4] of center x, center y, width, height.
        boxes: [n, 4] of left, top, right, bottom, in the same units.
        columns: int64 [n], the column of the scores of each box's class.
        variances: [4] of center y, center x, height, width.

    Returns:
        The column of each anchor, int64 [N], 0 for the background and -1 for no matter; and its box codes in
        the order of the variances, float32 [N, 4], which count where the column is above 0.
    """
    wanted, codes = np.zeros(len(anchors), np.int64), np.zeros((len(anchors), 4), np.float32)
    if not len(boxes):
        return wanted, codes
    shared = _overlaps(anchors, boxes)
    shared[shared.argmax(axis=0), np.arange(len(boxes))] = 2.0
    best, own = shared.max(axis=1), shared.argmax(axis=1)
    wanted[best >= UNSURE] = IGNORED
    taken = best >= MATCHED
    wanted[taken] = columns[own[taken]]
    center, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    moved = (center[own] - anchors[:, :2]) / anchors[:, 2:]
    grown = np.log(size[own] / anchors[:, 2:])
    codes[:] = np.stack([moved[:, 1], moved[:, 0], grown[:, 1], grown[:, 0]], axis=1) / variances
    return wanted, codes


def _overlaps(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union: [N, n]."""
    low, high = (
        anchors[:, None, :2] - anchors[:, None, 2:] / 2,
        anchors[:, None, :2] + anchors[:, None, 2:] / 2,
    )
    sides = np.minimum(high, boxes[None, :, 2:]) - np.maximum(low, boxes[None, :, :2])
    common = np.maximum(sides, 0).prod(axis=2)
    both = anchors[:, None, 2:].prod(axis=2) + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(common / (both - common))
