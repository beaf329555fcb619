"""A detector's answer to one picture as a row of values: N * C scores, then N * K box codes.

Python 3.6 syntax: this file travels to the board. The row may be put together from several outputs of the
artifact, each int8 with a scale of its own. Most anchors are left out by their highest score alone; only what
can be above the threshold becomes probabilities and codes.
"""

import math
from typing import Any, List, Mapping, Tuple

import numpy as np

from ..tasks import real, sigmoid

PROBABILITIES = "probabilities"
NONE, SIGMOID, SOFTMAX = "none", "sigmoid", "softmax"
ALL = slice(None)
# What rounding may move a logit by, so that nothing is left out too early.
SLACK = 1e-3


def activated(values: np.ndarray, activation: str) -> np.ndarray:
    """Probabilities of scores [n, C], float32."""
    if activation == SIGMOID:
        return sigmoid(values).astype(np.float32)
    if activation == SOFTMAX:
        shifted = np.exp(values.astype(np.float64) - values.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
    return values.astype(np.float32)


class Row(object):
    """How rows are read.

    Args:
        output: The manifest's: ``meaning``, ``scale``, ``zero_point`` and, of several outputs, ``parts``.
        shape: (N, C, K): anchors, columns of scores, codes.
        activation: What makes probabilities of scores: "none", "sigmoid" or "softmax".
        background: The column that is no class, or ``None``.

    Raises:
        ValueError: An output ends between the scores or codes of one anchor.
    """

    def __init__(
        self, output: Mapping[str, Any], shape: Tuple[int, int, int], activation: str, background: Any
    ) -> None:
        self._anchors, self._columns, self._codes = shape
        self._activation = NONE if output.get("meaning") == PROBABILITIES else activation
        self._background = background
        self._scales = _by_anchor(output, shape)

    def scores(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores, [N, C]."""
        return raw[: self._anchors * self._columns].reshape(self._anchors, self._columns)

    def probabilities(self, raw: np.ndarray) -> np.ndarray:
        """All probabilities, float32 [N, C]."""
        return self._active(self.scores(raw), ALL)

    def codes(self, raw: np.ndarray, anchors: Any) -> np.ndarray:
        """The codes of some anchors, float32 [n, K]."""
        codes = raw[self._anchors * self._columns :].reshape(self._anchors, self._codes)[anchors]
        return self._real(codes, 1, anchors)

    def above(self, raw: np.ndarray, threshold: float) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Anchors, columns and probabilities of what is above a threshold, the background left out."""
        scores = self.scores(raw)
        rows = np.flatnonzero(self._may_be(scores, threshold))
        active = self._active(scores[rows], rows)
        hits = active > threshold
        if self._background is not None:
            hits[:, self._background] = False
        at, columns = np.nonzero(hits)
        return rows[at], columns, active[at, columns]

    def _may_be(self, scores: np.ndarray, threshold: float) -> np.ndarray:
        """Of which anchors some class can be above the threshold, [N]."""
        if self._activation == SOFTMAX and self._background is None:
            return np.ones(len(scores), bool)
        values = self._real(self._best(scores)[:, None], 0, ALL)[:, 0]
        if self._activation == NONE:
            return np.asarray(values > threshold)
        least = _logit(threshold) - SLACK
        if self._activation == SOFTMAX:  # a class's share is at most that of it and the background alone
            values = values - self._real(scores[:, [self._background]], 0, ALL)[:, 0]
        return np.asarray(values > least)

    def _best(self, scores: np.ndarray) -> np.ndarray:
        """The highest raw score of a class, [N]; whatever scale an anchor has, it is the highest real one."""
        if self._background is None:
            return np.asarray(scores.max(axis=1))
        if self._columns == 2:
            return scores[:, 1 - self._background]
        kept = scores[:, 1:] if self._background == 0 else np.delete(scores, self._background, axis=1)
        return np.asarray(kept.max(axis=1))

    def _active(self, scores: np.ndarray, anchors: Any) -> np.ndarray:
        return activated(self._real(scores, 0, anchors), self._activation)

    def _real(self, raw: np.ndarray, kind: int, anchors: Any) -> np.ndarray:
        scale, zero_point = self._scales[kind]
        if isinstance(scale, np.ndarray):
            return real(raw, scale[anchors, None], zero_point[anchors, None])
        return real(raw, scale, zero_point)


def _logit(share: float) -> float:
    """The inverse of the sigmoid; infinite at 0 and 1."""
    if not 0.0 < share < 1.0:
        return -math.inf if share <= 0.0 else math.inf
    return math.log(share / (1.0 - share))


def _by_anchor(output: Mapping[str, Any], shape: Tuple[int, int, int]) -> List[Tuple[Any, Any]]:
    """(scale, zero point) of the scores and of the codes: of all anchors, or of each where they differ."""
    parts = output.get("parts") or ()
    if output.get("scale") is not None or not any(part["scale"] is not None for part in parts):
        return [(output.get("scale"), output.get("zero_point"))] * 2
    anchors, *widths = shape
    found, rest = [], list(parts)
    for width in widths:
        scales, zero_points, begin = np.empty(anchors, np.float32), np.empty(anchors, np.float32), 0
        while begin < anchors and rest:
            part = rest.pop(0)
            count, over = divmod(part["values"], width)
            if over or begin + count > anchors:
                break
            scales[begin : begin + count] = part["scale"]
            zero_points[begin : begin + count] = part["zero_point"]
            begin += count
        if begin != anchors:
            raise ValueError("an output that does not end where the scores or codes of an anchor end")
        found.append((scales, zero_points))
    return found
