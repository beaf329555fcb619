"""How far a quantized detector's answers are from the float one's, as one number to be made small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.detection.detector import Detector
from edgenet.task import Answers

__all__ = ["Divergence"]

# A box that is moved by a third of its width overlaps its old place by half, where it counts as another
# object: the mean square of its sides' moves is 1/18 then. That is to weigh as much as a score halved, log 2.
BOX = 18 * float(np.log(2))
LEAST = 1e-7


class Divergence:
    """Of comparable answers [n, values].

    * Classes: the Kullback-Leibler divergence of each column from the float run's probability, weighted by
      the larger of both runs' highest probability of a class at that anchor, so that thousands of anchors
      that see nothing in both do not drown those that decide, and an object out of nothing counts.
    * Boxes: of the anchors that survive suppression in the float run, the mean square by which the sides
      move, in widths and heights of the box, weighted by the score.

    Both are sums over the anchors and the mean over the images, and grow with the square of small noise.

    Args:
        detector: Decodes rows of probabilities and codes.
        shape: Anchors, columns, codes of a row.
        background: The column that is no class, or ``None``.
        wanted: Of the float run.
    """

    def __init__(
        self, detector: Detector, shape: tuple[int, int, int], background: int | None, wanted: Answers
    ) -> None:
        self._detector, self._shape, self._background = detector, shape, background
        self._wanted = self._probabilities(wanted)
        self._best = self._highest(self._wanted)
        self._kept = [detector.all(own) for own in wanted]
        self._boxes = [
            self._placed(own, found.anchors) for own, found in zip(wanted, self._kept, strict=True)
        ]

    def __call__(self, got: NDArray[Any]) -> float:
        """The divergence of other answers to the same images."""
        return float((self._of_classes(got) + self._of_boxes(got)).mean())

    def _of_classes(self, got: NDArray[Any]) -> NDArray[np.float64]:
        p, q = self._wanted, self._probabilities(got)
        each = p * np.log(p / q) + (1.0 - p) * np.log((1.0 - p) / (1.0 - q))
        weights = np.maximum(self._best, self._highest(q))
        return np.asarray((each.sum(axis=2) * weights).sum(axis=1), np.float64)

    def _of_boxes(self, got: NDArray[Any]) -> NDArray[np.float64]:
        moved = np.zeros(len(got))
        for at, (own, found, boxes) in enumerate(zip(got, self._kept, self._boxes, strict=True)):
            sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
            moves = (self._placed(own, found.anchors) - boxes) / sides
            moved[at] = (found.scores * np.minimum(moves**2, 1.0).mean(axis=1)).sum()  # lost is lost
        return BOX * moved

    def _placed(self, own: NDArray[Any], anchors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Boxes of some anchors as their own codes say."""
        codes = self._detector.row.codes(own, anchors)
        return np.asarray(self._detector.coding.boxes(codes, self._detector.anchors[anchors]))

    def _probabilities(self, answers: NDArray[Any]) -> NDArray[np.float32]:
        anchors, columns, _ = self._shape
        shares = answers[:, : anchors * columns].reshape(len(answers), anchors, columns)
        return np.clip(shares.astype(np.float32), LEAST, 1.0 - LEAST)

    def _highest(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """The highest probability of a class at each anchor."""
        kept = shares if self._background is None else np.delete(shares, self._background, axis=2)
        return np.asarray(kept.max(axis=2))
