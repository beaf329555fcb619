"""Which numbers of the estimates are best by what is left out: docs/estimate.md says what came of it.

python benchmarks/estimates.py

Tried are the three numbers that no data sheet has (edgenet/estimates/roofline.py, correction.py). A choice
is judged by the root mean square of log(estimated / published) over two questions at once: every figure by
all of other boards, and every width and resolution by full-size networks alone.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from edgenet.estimates.correction import RIDGE
from edgenet.estimates.figure import Figure, published_figures
from edgenet.estimates.left_out import left_out, without_scaled
from edgenet.estimates.roofline import Shape

CYCLES = (5_000.0, 10_000.0, 20_000.0, 30_000.0, 40_000.0, 50_000.0, 70_000.0)
THREADS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RIDGES = (0.03, 0.1, 0.3, 1.0)
SHOWN = 12


def error(figures: tuple[Figure, ...], shape: Shape, ridge: float) -> tuple[float, float, float]:
    """Factors (geometric root mean square): of both questions, of boards, of widths and resolutions."""
    boards = [math.log(row.ratio) for row in left_out(figures, "board", shape, ridge)]
    scaled = [math.log(row.ratio) for row in without_scaled(figures, shape, ridge)]
    return rms(boards + scaled), rms(boards), rms(scaled)


def rms(logs: list[float]) -> float:
    """As a factor."""
    return math.exp(float(np.sqrt(np.mean(np.square(logs)))))


def main() -> None:
    """Print the best choices, and where those of the code stand."""
    figures = published_figures()
    grid = itertools.product(CYCLES, THREADS, RIDGES)
    found = [(error(figures, Shape(*numbers), ridge), (*numbers, ridge)) for *numbers, ridge in grid]
    found.sort()
    print(f"{len(figures)} figures, {len(found)} choices; cycles, threads, ridge: both, boards, scaled")
    for errors, choice in found[:SHOWN]:
        print(*(f"{number:>8g}" for number in choice), *(f"x{item:.3f}" for item in errors))
    shape = Shape()
    chosen = (shape.cycles, shape.threads, RIDGE)
    place = [choice for _, choice in found].index(chosen) + 1 if chosen in [c for _, c in found] else None
    print("the code's", chosen, *(f"x{item:.3f}" for item in error(figures, shape, RIDGE)), f"place {place}")


if __name__ == "__main__":
    main()
