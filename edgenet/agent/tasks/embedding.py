"""Embedding on the board: the nearest pictures of a gallery."""

from typing import Any, List

import numpy as np

from . import NONE, TOP, real

UNKNOWN = "unknown"


def unit(values: np.ndarray) -> np.ndarray:
    """Vectors of length 1 along the last axis, float32; a vector of zeros stays one."""
    vectors = values.astype(np.float32)
    norms = np.sqrt(np.einsum("...v,...v->...", vectors, vectors, dtype=np.float64))
    return np.asarray(vectors / np.maximum(norms, 1e-30)[..., None], np.float32)


class Reader(object):
    """Reads vectors, [dimensions], and knows the pictures that were enrolled."""

    def __init__(self, manifest: Any) -> None:
        self._output = manifest["output"]
        self._threshold = manifest.get("task", {}).get("settings", {}).get("threshold")
        self._names: List[str] = []
        self._gallery = np.zeros((0, 0), np.float32)

    def enroll(self, name: str, raw: np.ndarray) -> None:
        """One more picture of the gallery, by its answer."""
        vector = self._vector(raw)
        self._gallery = np.concatenate([self._gallery.reshape(-1, len(vector)), vector[None]])
        self._names.append(name)

    def label(self, raw: np.ndarray) -> str:
        """The nearest picture; how many numbers the vector has where there is no gallery."""
        top = self.top(raw)
        return str(top[0][0]) if top else "{} numbers".format(raw.size)

    def top(self, raw: np.ndarray) -> list:
        """The nearest pictures and their cosines; "unknown" before them where none is near enough."""
        vector = self._vector(raw)  # part of reading an answer, gallery or not
        if not self._names:
            return []
        if not np.isfinite(vector).all():
            return NONE
        near = self._gallery.dot(vector)
        order = np.argsort(-near, kind="stable")[:TOP]
        found = [[self._names[i], round(float(near[i]), 4), int(i)] for i in order]
        if self._threshold is not None and near[order[0]] < self._threshold:
            found = [[UNKNOWN, found[0][1], -1]] + found[: TOP - 1]
        return found

    def _vector(self, raw: np.ndarray) -> np.ndarray:
        return unit(real(raw, self._output.get("scale"), self._output.get("zero_point")))
