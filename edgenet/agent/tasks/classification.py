"""Classification on the board: the most probable classes."""

from typing import Any

import numpy as np

from . import NONE, TOP, real


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the softmax along the last axis, float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


class Reader(object):
    """Reads logits or probabilities, [classes]."""

    def __init__(self, manifest: Any) -> None:
        self._output, self._labels = manifest["output"], manifest["labels"]

    def label(self, raw: np.ndarray) -> str:
        """The best class: dequantizing changes no order."""
        return self._name(int(raw.argmax()))

    def top(self, raw: np.ndarray) -> list:
        """The most probable classes and their probabilities."""
        if not np.isfinite(raw).all():
            return NONE
        order = np.argsort(-raw.astype(np.float64), kind="stable")[:TOP]
        shares = self._probabilities(raw)[order]
        return [[self._name(int(i)), round(float(p), 4), int(i)] for i, p in zip(order, shares)]

    def _probabilities(self, raw: np.ndarray) -> np.ndarray:
        values = real(raw, self._output.get("scale"), self._output.get("zero_point"))
        if self._output.get("meaning") == "probabilities":
            return values
        return np.asarray(np.exp(log_softmax(values)))

    def _name(self, index: int) -> str:
        return str(self._labels[index]) if index < len(self._labels) else str(index)
