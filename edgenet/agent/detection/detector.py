"""From a detector's answer to the objects that it found.

Python 3.6 syntax: this file travels to the board, and the host computes with it too.
"""

from typing import Any, Mapping, NamedTuple

import numpy as np

from .anchors import anchors_of
from .coding import Coding, code_count
from .row import NONE, Row
from .suppression import hard, weighted

# What a card that does not say it means.
SCORE_THRESHOLD, SHOW_THRESHOLD, NMS_THRESHOLD, MAX_DETECTIONS = 0.01, 0.5, 0.5, 100
# Boxes above the threshold that are looked at, those with the highest scores; NMS takes time for each.
MAX_CANDIDATES = 10000
HARD, WEIGHTED = "hard", "weighted"

Found = NamedTuple(
    "Found",
    [
        ("classes", Any),  # int [d], the best first: index among the classes, the background not counted
        ("scores", Any),  # float32 [d]
        ("boxes", Any),  # float64 [d, 4]: xmin, ymin, xmax, ymax in fractions of the network's input
        ("points", Any),  # float64 [d, points, 2]: x, y
        ("anchors", Any),  # int [d]: of which anchor each is; of an average, the best one's
    ],
)


def background_of(settings: Mapping[str, Any]) -> Any:
    """The column of the scores that is no class, or ``None``."""
    return None if settings["background"] == NONE else settings["background"]


def suppression_of(settings: Mapping[str, Any]) -> str:
    """How boxes that overlap become one: detectors with points are MediaPipe's, which averages."""
    return str(settings.get("nms", WEIGHTED if settings.get("points") else HARD))


class Detector(object):
    """Finds objects in rows.

    Args:
        settings: ``[detection]`` of a card, checked and resolved (``columns``, ``activation``).
        output: What the rows are, as in a manifest: ``meaning``, ``scale``, ``zero_point``, ``parts``.

    Raises:
        ValueError: The output's parts are not whole anchors.
    """

    def __init__(self, settings: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        self.anchors = anchors_of(settings["anchors"])
        self._background = background_of(settings)
        shape = (len(self.anchors), settings["columns"], code_count(settings))
        self.row = Row(output, shape, settings.get("activation", NONE), self._background)
        self.coding = Coding(settings)
        self._weighted = suppression_of(settings) == WEIGHTED
        self._agnostic = bool(settings.get("agnostic", False))
        self._overlap = settings.get("nms_threshold", NMS_THRESHOLD)
        self._most = settings.get("max_detections", MAX_DETECTIONS)
        self._score = settings.get("score_threshold", SCORE_THRESHOLD)
        self._shown = settings.get("show_threshold", max(SHOW_THRESHOLD, self._score))

    def all(self, raw: np.ndarray) -> Found:
        """All objects above the card's ``score_threshold``: what is measured."""
        return self.find(raw, self._score)

    def shown(self, raw: np.ndarray) -> Found:
        """Objects above the card's ``show_threshold``: what people see."""
        return self.find(raw, self._shown)

    def faint(self, raw: np.ndarray) -> Found:
        """Objects that are nearly seen: above half of the card's ``show_threshold``."""
        return self.find(raw, self._shown / 2)

    def find(self, raw: np.ndarray, threshold: float) -> Found:
        """The objects of one picture, from its row [values]; NaN is above no threshold."""
        with np.errstate(invalid="ignore", over="ignore"):
            anchors, columns, scores = self.row.above(raw, threshold)
            best = np.argsort(-scores, kind="mergesort")[:MAX_CANDIDATES]
            anchors, columns, scores = anchors[best], columns[best], scores[best]
            codes, own = self.row.codes(raw, anchors), self.anchors[anchors]
            boxes, points = self.coding.boxes(codes, own), self.coding.points(codes, own)
            real = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        classes = columns if self._background is None else columns - (columns > self._background)
        return self._suppressed(Found(classes[real], scores[real], boxes[real], points[real], anchors[real]))

    def _suppressed(self, found: Found) -> Found:
        groups = np.zeros_like(found.classes) if self._agnostic else found.classes
        if not self._weighted:
            kept = hard(found.boxes, groups, self._overlap, self._most)
            return Found(*(part[kept] for part in found))
        kept, boxes, points = weighted(
            found.boxes, found.points, found.scores, groups, self._overlap, self._most
        )
        return Found(found.classes[kept], found.scores[kept], boxes, points, found.anchors[kept])
