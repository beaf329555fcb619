"""Binary classification on the board: whether it is, by one probability."""

from typing import Any

import numpy as np

from . import NONE, real, sigmoid

NAMES = ("no", "yes")


class Reader(object):
    """Reads one logit or probability, [1]."""

    def __init__(self, manifest: Any) -> None:
        self._output = manifest["output"]
        self._names = manifest["labels"] or NAMES
        self._threshold = manifest.get("task", {}).get("settings", {}).get("threshold", 0.5)

    def label(self, raw: np.ndarray) -> str:
        """The class that it is."""
        return str(self._names[int(self._probability(raw) > self._threshold)])

    def top(self, raw: np.ndarray) -> list:
        """The class that it is before the other, and their probabilities."""
        share = self._probability(raw)
        if not np.isfinite(share):
            return NONE
        both = [[str(self._names[1]), round(share, 4), 1], [str(self._names[0]), round(1.0 - share, 4), 0]]
        return both if share > self._threshold else both[::-1]

    def _probability(self, raw: np.ndarray) -> float:
        values = real(raw, self._output.get("scale"), self._output.get("zero_point"))
        if self._output.get("meaning") != "probabilities":
            values = sigmoid(values)
        return float(values.reshape(-1)[0])
