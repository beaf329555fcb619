"""Two models in a chain: the second looks at what the first finds, cut out and aligned by its points."""

import time
from typing import Any

import numpy as np

from .. import preprocess
from ..failure import Failure
from .align import cut, similarity

# Objects of one picture that the second model looks at, the most certain ones.
MOST = 8
# What is timed of each object: cutting it out, and the second network alone.
PARTS = ("align", "then")
# Points that tell a similarity transform.
FEWEST = 2


class Chain(object):
    """What the second model says of each object.

    Args:
        first: The detector, open.
        second: The open model that looks at its objects.

    Attributes:
        second: The same.

    Raises:
        Failure: They have too few points in common.
    """

    def __init__(self, first, second):
        self.first, self.second = first, second
        named = {_plain(name): index for index, name in enumerate(first.points)}
        wanted = [
            (named[_plain(name)], place) for name, place in second.alignment.items() if _plain(name) in named
        ]
        if len(wanted) < FEWEST:
            raise Failure(
                "bad-request",
                "the first model finds {}, the second is aligned by {}: fewer than two are the same".format(
                    ", ".join(first.points) or "no points", ", ".join(second.alignment) or "none"
                ),
                "name the same points in both cards",
            )
        self._points = [index for index, _ in wanted]
        self._wanted = np.array([place for _, place in wanted], np.float64)

    def look(self, image, boxes, part):
        """The second model's best answers for each of the first boxes, ``None`` where it cannot be aligned.

        Args:
            image: uint8 [rows, columns, 3], as it was fitted to the first.
            boxes: Of the first, with points in fractions of the picture.
            part: Called with the name of a part and its seconds, for each object.
        """
        raws = [self._answer(image, box, part) for box in boxes[:MOST]]
        return [None if raw is None else self.second.top(raw) for raw in raws]

    def _answer(self, image, box, part):
        began = time.perf_counter()
        rows, columns = image.shape[:2]
        places = np.array([box[6][index] for index in self._points], np.float64)
        transform = similarity(places * (columns, rows) - 0.5, self._wanted)
        if transform is None:
            return None
        np.copyto(self.second.room(), cut(image, transform, self.second.spec["size"]))
        part("align", time.perf_counter() - began)
        self.second.start()
        raw, seconds = self.second.finish()
        part("then", seconds)
        return raw

    def enroll(self, name, image):
        """One more picture of the gallery: its most certain object."""
        raw = self.first.answer(preprocess.fit(image, self.first.spec))
        boxes = self.first.boxes(raw, image.shape[1::-1])
        found = self._answer(image, boxes[0], _untimed) if boxes else None
        if found is None:
            what = "gallery picture {}: the first model finds nothing in it".format(name)
            raise Failure("bad-image", what, "take one that shows it larger, or leave it out")
        self.second.enroll(name, found)


def named(boxes: Any, answers: Any) -> Any:
    """Boxes with what the second model says in their label: "face" becomes "ann 0.62"."""
    told = list(boxes)
    for index, top in enumerate(answers):
        if top:
            told[index] = ["{} {:.2f}".format(top[0][0], top[0][1])] + boxes[index][1:]
    return told


def _untimed(_name, _seconds):
    """Enrolling is no frame."""


def _plain(name):
    return str(name).replace("_", " ").replace("-", " ").lower()
