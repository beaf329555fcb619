"""Detection on the board: what is in a picture, and where."""

from typing import Any

import numpy as np

from ..detection.detector import Detector
from ..geometry import geometry
from . import NONE, TOP

NOTHING = "nothing"
# Boxes of one picture that are told, the most certain ones.
MOST = 100


class Reader(object):
    """Reads a row of scores and box codes, see :mod:`..detection.row`."""

    def __init__(self, manifest: Any) -> None:
        settings = manifest["task"]["settings"]["detection"]
        self._labels, self._spec = manifest["labels"], manifest.get("preprocessing")
        self._detector = Detector(settings, manifest["output"])
        self._last: Any = (None, None)

    def label(self, raw: np.ndarray) -> str:
        """The most certain object and how many others there are; "nothing" where there is none."""
        found = self._found(raw)
        if found is None:
            return str(NONE[0][0])
        if not len(found.scores):
            return NOTHING
        best = "{} {:.2f}".format(self._name(found.classes[0]), found.scores[0])
        return best if len(found.scores) == 1 else "{} +{} more".format(best, len(found.scores) - 1)

    def top(self, raw: np.ndarray) -> list:
        """The most certain objects and their probabilities."""
        found = self._found(raw)
        if found is None:
            return NONE
        pairs = list(zip(found.classes, found.scores))[:TOP]
        return [[self._name(index), round(float(score), 4), int(index)] for index, score in pairs] or [
            [NOTHING, 0.0, -1]
        ]

    def told(self, raw: np.ndarray) -> list:
        """How many objects of each class there are: all classes, sorted."""
        return sorted(self._found(raw).classes.tolist())

    def boxes(self, raw: np.ndarray, size: Any) -> list:
        """``[[label, score, xmin, ymin, xmax, ymax, points] ...]`` in fractions of a picture, the best first.

        Args:
            raw: The answer.
            size: Width and height of the picture as it was fitted to the network.
        """
        found = self._found(raw)
        if found is None:
            return []
        left, top, width, height = self._view(size)
        boxes = np.clip(found.boxes * (width, height, width, height) + (left, top, left, top), 0.0, 1.0)
        points = found.points * (width, height) + (left, top)
        named = [
            [self._name(index), round(float(score), 4)] for index, score in zip(found.classes, found.scores)
        ]
        places = zip(named, boxes.round(4).tolist(), points.round(4).tolist())
        return [about + box + [own] for about, box, own in places][:MOST]

    def _view(self, size: Any) -> Any:
        """Left, top, width, height of what the network sees, in fractions of the picture."""
        left, top, width, height = geometry(size[1], size[0], self._spec).view(self._spec["size"])
        return left / size[0], top / size[1], width / size[0], height / size[1]

    def _found(self, raw: np.ndarray) -> Any:
        """What is shown of an answer, decoded once; ``None`` where there are numbers that are none."""
        if self._last[0] is not raw:
            self._last = raw, self._shown(raw)
        return self._last[1]

    def _shown(self, raw: np.ndarray) -> Any:
        found: Any = self._detector.shown(raw)
        return None if raw.dtype != np.int8 and not np.isfinite(raw).all() else found

    def _name(self, index: int) -> str:
        return str(self._labels[index]) if index < len(self._labels) else "class {}".format(index)
