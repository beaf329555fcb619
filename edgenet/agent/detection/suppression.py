"""Of boxes that overlap, one: non-maximum suppression, in numpy.

Python 3.6 syntax: this file travels to the board. Boxes are float64 [n, 4] of xmin, ymin, xmax, ymax, the one
with the highest score first. Two overlap where their intersection over union is above the threshold.
"""

from typing import List, Tuple

import numpy as np


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair, [n, m]; 0 where neither has an area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inside = np.maximum(high - low, 0.0).prod(axis=2)
    areas = [np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - inside
    return np.asarray(inside / np.maximum(union, 1e-30))


def hard(boxes: np.ndarray, groups: np.ndarray, threshold: float, most: int) -> np.ndarray:
    """Indices of the boxes that stay: those that overlap no better one of their group.

    Each box that stays is compared with all others at once, and the last one that is wanted ends it.

    Args:
        boxes: The best first.
        groups: int [n]; boxes of different groups do not suppress each other.
        threshold: Intersection over union.
        most: How many are kept at most.
    """
    low, high = np.ascontiguousarray(boxes[:, :2].T), np.ascontiguousarray(boxes[:, 2:].T)
    # inside / (a + b - inside) > threshold, without the division
    share = (high - low).prod(axis=0) * (threshold / (1.0 + threshold))
    alike = len(groups) == 0 or bool((groups == groups[0]).all())
    left, kept = np.ones(len(boxes), bool), []
    for index in range(len(boxes)):
        if not left[index]:
            continue
        kept.append(index)
        if len(kept) == most:
            break
        sides = np.minimum(high, high[:, index, None])
        sides -= np.maximum(low, low[:, index, None])
        np.maximum(sides, 0.0, out=sides)
        apart = sides[0] * sides[1] <= share + share[index]
        left &= apart if alike else apart | (groups != groups[index])
    return np.asarray(kept, np.int64)


def weighted(
    boxes: np.ndarray, rest: np.ndarray, scores: np.ndarray, groups: np.ndarray, threshold: float, most: int
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes that overlap become one, each weighted by its score (MediaPipe's WEIGHTED suppression).

    Args:
        boxes: The best first.
        rest: [n, …], what is averaged with the boxes: their points.
        scores: [n].
        groups: int [n]; only boxes of one group are averaged.
        threshold: Intersection over union with the best of them.
        most: How many are made at most.

    Returns:
        Index of the best box of each, and the averaged boxes and points.
    """
    kept: List[int] = []
    made: List[np.ndarray] = []
    moved: List[np.ndarray] = []
    left = np.arange(len(boxes))
    while len(left) and len(kept) < most:
        near = overlaps(boxes[left[:1]], boxes[left])[0] > threshold
        near &= groups[left] == groups[left[0]]
        near[0] = True
        members = left[near]
        kept.append(left[0])
        made.append(np.average(boxes[members], axis=0, weights=scores[members]))
        moved.append(np.average(rest[members], axis=0, weights=scores[members]))
        left = left[~near]
    shape = (len(kept),) + rest.shape[1:]
    return (
        np.asarray(kept, np.int64),
        np.asarray(made, np.float64).reshape(len(kept), 4),
        np.asarray(moved, np.float64).reshape(shape),
    )
