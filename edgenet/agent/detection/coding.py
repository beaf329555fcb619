"""Box codes: how a detector says where a box is, counted from its anchor.

Python 3.6 syntax: this file travels to the board.

* ``corner-offset``: each side of the box is that of the anchor, moved by code * variance widths or heights.
* ``center-size``: the center is moved by code * variance widths and heights of the anchor, and width and
  height are its times exp(code * variance) (Ren et al., Faster R-CNN, equation 2; Liu et al., SSD, 2016).
* ``center-size`` with a ``scale``: every code is a number of anchor sizes / scale, the sizes too (MediaPipe's
  TfLiteTensorsToDetectionsCalculator without ``apply_exponential_on_box_size``).
"""

from typing import Any, Mapping

import numpy as np

CORNER_OFFSET, CENTER_SIZE = "corner-offset", "center-size"
# The order of a box's four codes, unless a card has another.
ORDERS = {
    CORNER_OFFSET: ("xmin", "ymin", "xmax", "ymax"),
    CENTER_SIZE: ("cx", "cy", "width", "height"),
}
BOX = 4
# exp of this is the largest width that float32 can hold twice; a real one is below 5.
LARGEST = 80.0


def code_count(settings: Mapping[str, Any]) -> int:
    """How many codes an anchor has: four of its box, two of each point."""
    return BOX + 2 * len(settings.get("points", ()))


class Coding(object):
    """How the codes of one detector are read.

    Args:
        settings: ``coding``, ``order``, ``variances`` or ``scale``, ``points`` of a card, checked.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._corners = settings["coding"] == CORNER_OFFSET
        names = ORDERS[settings["coding"]]
        given = list(settings.get("order", names))
        self._order = [given.index(name) for name in names]
        self._linear = "scale" in settings
        unit = 1.0 / settings["scale"] if self._linear else 1.0
        variances = np.asarray(settings.get("variances", [unit] * BOX), np.float64)
        self._variances, self._point = variances[self._order], unit

    def boxes(self, codes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        """Boxes: float64 [n, 4] of xmin, ymin, xmax, ymax in fractions of the network's input.

        Args:
            codes: [n, K] of these anchors.
            anchors: float64 [n, 4], see :func:`.anchors.anchors_of`.
        """
        moved = codes[:, self._order].astype(np.float64) * self._variances
        center, size = anchors[:, :2], anchors[:, 2:]
        if self._corners:
            low, high = center - size / 2 + moved[:, :2] * size, center + size / 2 + moved[:, 2:] * size
            return np.concatenate([low, high], axis=1)
        center = center + moved[:, :2] * size
        half = size * (moved[:, 2:] if self._linear else np.exp(np.minimum(moved[:, 2:], LARGEST))) / 2
        return np.concatenate([center - half, center + half], axis=1)

    def points(self, codes: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        """The points that belong to each box: float64 [n, points, 2] of x, y."""
        count = (codes.shape[1] - BOX) // 2  # -1 cannot be told where there are none
        moved = codes[:, BOX:].astype(np.float64).reshape(len(codes), count, 2) * self._point
        return np.asarray(anchors[:, None, :2] + moved * anchors[:, None, 2:])
