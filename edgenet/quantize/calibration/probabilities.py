"""How far two sets of class scores are apart, as probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["divergence", "expected_loss", "log_probabilities"]

Scores = NDArray[np.floating]


def log_probabilities(scores: Scores) -> NDArray[np.float64]:
    """Logarithms of the softmax of [images, classes]."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def divergence(truth: Scores, got: Scores) -> float:
    """Kullback-Leibler divergence from the true class probabilities, the mean over [images, classes]."""
    p = log_probabilities(truth)
    return float((np.exp(p) * (p - log_probabilities(got))).sum(axis=1).mean())


def expected_loss(truth: Scores, got: Scores) -> float:
    """Top-1 that is expected to be lost, as a share, without any label.

    An image whose answer changes from class a to class b loses p(a) - p(b) of a right answer, p being the
    true network's own probabilities; an image that keeps its answer loses nothing. As far as the network
    knows itself, this is what labelled images would show, with a fraction of their noise.
    """
    p = np.exp(log_probabilities(truth))
    rows = np.arange(len(p))
    return float((p[rows, truth.argmax(axis=1)] - p[rows, got.argmax(axis=1)]).mean())
