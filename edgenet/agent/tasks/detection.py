"""Detection on the board: what is in a picture, and where."""

from typing import Any

import numpy as np

from ..detection.detector import Detector
from . import TOP

NOTHING = "nothing"


class Reader(object):
    """Reads a row of scores and box codes, see :mod:`..detection.row`."""

    def __init__(self, manifest: Any) -> None:
        settings = manifest["task"]["settings"]["detection"]
        self._labels = manifest["labels"]
        self._offset = manifest.get("label_offset", 0)
        self._detector = Detector(settings, manifest["output"])

    def label(self, raw: np.ndarray) -> str:
        """The most certain object and how many others there are; "nothing" where there is none."""
        found = self._detector.shown(raw)
        if not len(found.scores):
            return NOTHING
        best = "{} {:.2f}".format(self._name(found.classes[0]), found.scores[0])
        return best if len(found.scores) == 1 else "{} +{} more".format(best, len(found.scores) - 1)

    def top(self, raw: np.ndarray) -> list:
        """The most certain objects and their probabilities."""
        found = self._detector.shown(raw)
        pairs = list(zip(found.classes, found.scores))[:TOP]
        return [[self._name(index), round(float(score), 4), int(index)] for index, score in pairs]

    def _name(self, index: int) -> str:
        return str(self._labels[index]) if index < len(self._labels) else "class {}".format(index)
