"""What changed answers cost, from few images: the noise of each image tried on the margins of all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["crossed_loss"]


def crossed_loss(
    margins: NDArray[np.floating], gains: NDArray[np.floating], noise: NDArray[np.floating]
) -> float:
    """The loss that is expected of answers whose margins are noisy, the mean over the images.

    Which answers change is chance: of two hundred images a handful do, and counting them tells little. How
    large the noise is, every image tells. So that of each image, with either sign, is tried on every image: a
    resampling of residuals (Efron, "Bootstrap methods", 1979, section 7), over all pairs. What the noise
    has in common with the margins, as where all are stretched, is no noise and stays where it is.

    Args:
        margins: [images, rivals], by how much an answer is ahead of each rival; not negative.
        gains: [images, rivals], what is lost when the rival takes its place.
        noise: [images, rivals], by how much the margins are larger in the noisy run. What is not finite
            counts as a lost answer.
    """
    lost = np.where(np.isfinite(noise), noise, -np.inf)
    known = np.where(np.isfinite(noise), noise, 0.0)
    stretch = float((known * margins).sum()) / max(float(np.square(margins).sum()), 1e-300)
    ahead, rest = (1.0 + stretch) * margins, lost - stretch * margins
    rows, total = np.arange(len(margins)), 0.0
    for shift in (*rest, *-rest):
        left = ahead + shift
        first = left.argmin(axis=1)
        total += float(np.where(left[rows, first] < 0, gains[rows, first], 0.0).sum())
    return total / (2 * len(rest) * len(margins))
