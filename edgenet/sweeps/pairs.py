"""Cells against the answer on the same images, in pairs: what a difference in accuracy is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgenet.statistics import paired, paired_bootstrap
from edgenet.swept import Cell, CellVersus

__all__ = ["against", "versus"]


def against(
    cells: Mapping[str, Cell], scores: Mapping[str, tuple[float, ...]], chosen: str
) -> dict[str, Cell]:
    """The cells of a board with what each has over the answer, where both answered the same images.

    Args:
        cells: Key → cell.
        scores: Key → how right each image's answer is, 0 to 1.
        chosen: The answer's key.
    """
    own = scores.get(chosen)
    if own is None:
        return dict(cells)
    return {
        key: cell.changed(versus_answer=versus(scores[key], own))
        if key in scores and key != chosen and len(scores[key]) == len(own)
        else cell
        for key, cell in cells.items()
    }


def versus(other: tuple[float, ...], own: tuple[float, ...]) -> CellVersus:
    """The mean of scores minus that of others on the same images, percentage points.

    Newcombe's interval of paired proportions where every answer is right or wrong, else the paired bootstrap.
    """
    theirs, mine = np.asarray(other), np.asarray(own)
    if np.isin(theirs, (0.0, 1.0)).all() and np.isin(mine, (0.0, 1.0)).all():
        found = paired(theirs.astype(bool), mine.astype(bool))
        return CellVersus(delta_pp=found.delta_pp, interval_pp=found.interval_pp, images=len(own))
    gap = 100.0 * (theirs - mine)
    low, high = paired_bootstrap(lambda chosen: float(gap[chosen].mean()), len(gap))
    return CellVersus(delta_pp=float(gap.mean()), interval_pp=(low, high), images=len(own))
