"""Several labels a picture on the board: those whose probability is above their threshold."""

from typing import Any

import numpy as np

from . import NONE, TOP, real, sigmoid

NOTHING = "none"


class Reader(object):
    """Reads logits or probabilities, [labels], each of its own."""

    def __init__(self, manifest: Any) -> None:
        self._output, self._labels = manifest["output"], manifest["labels"]
        settings = manifest.get("task", {}).get("settings", {})
        self._thresholds = np.asarray(settings.get("thresholds", 0.5), np.float64)

    def label(self, raw: np.ndarray) -> str:
        """All labels that hold, the most certain first."""
        shares = self._probabilities(raw)
        return ", ".join(self._name(int(i)) for i in self._order(shares) if self._holds(shares)[i]) or NOTHING

    def top(self, raw: np.ndarray) -> list:
        """The most probable labels and their probabilities; "none" before them where no label holds."""
        shares = self._probabilities(raw)
        if not np.isfinite(shares).all():
            return NONE
        found = [[self._name(int(i)), round(float(shares[i]), 4), int(i)] for i in self._order(shares)[:TOP]]
        if not self._holds(shares).any():
            found = [[NOTHING, found[0][1], -1]] + found[: TOP - 1]
        return found

    def told(self, raw: np.ndarray) -> tuple:
        """The indices of all labels that hold."""
        return tuple(int(i) for i in np.flatnonzero(self._holds(self._probabilities(raw))))

    def _order(self, shares: np.ndarray) -> np.ndarray:
        return np.asarray(np.argsort(self._thresholds - shares, kind="stable"))

    def _holds(self, shares: np.ndarray) -> np.ndarray:
        return np.asarray(shares > self._thresholds)

    def _probabilities(self, raw: np.ndarray) -> np.ndarray:
        values = real(raw, self._output.get("scale"), self._output.get("zero_point"))
        if self._output.get("meaning") == "probabilities":
            return values
        return sigmoid(values)

    def _name(self, index: int) -> str:
        return str(self._labels[index]) if index < len(self._labels) else str(index)
