"""How far estimates are off on figures that the correction has not seen, one question at a time."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from edgenet.estimates.correction import RIDGE, Case, Correction, case_of
from edgenet.estimates.figure import Figure
from edgenet.estimates.roofline import Shape

__all__ = ["QUESTIONS", "SCALED", "LeftOut", "left_out", "threads_used", "within", "without_scaled"]

# What is left out together, of a figure → what an estimate made without it stands for.
QUESTIONS: dict[str, Callable[[Figure], Hashable]] = {
    # A network on a board that others were timed on, with the same kernels.
    "network": lambda figure: (figure.machine.name, figure.kernels, figure.network, figure.precision),
    # Kernels on a board that was timed with others alone.
    "kernels": lambda figure: (figure.machine.name, figure.kernels),
    # A number of threads that these kernels were not timed with on their board.
    "threads": lambda figure: (figure.machine.name, figure.kernels, threads_used(figure)),
    # A board that nobody timed anything on.
    "board": lambda figure: figure.machine.name,
    # A family of networks that nobody timed with these kernels in float, or in int8.
    "family": lambda figure: (figure.kernels, figure.network.family[:2], figure.precision == "int8"),
    # A design of core that nobody timed anything on.
    "core": lambda figure: figure.core,
}
# And widths and resolutions, by full-size networks alone.
SCALED = "scaled"
SHARE = 0.9


@dataclass(frozen=True)
class LeftOut:
    """One figure beside the estimate made without it.

    Attributes:
        figure: It.
        question: Of ``QUESTIONS``, or "scaled".
        ms: The estimate.
    """

    figure: Figure
    question: str
    ms: float

    @property
    def ratio(self) -> float:
        """Estimated over measured."""
        return self.ms / self.figure.ms


@functools.cache
def left_out(
    figures: tuple[Figure, ...], question: str, shape: Shape | None = None, ridge: float = RIDGE
) -> tuple[LeftOut, ...]:
    """Each figure by all that do not share its answer to the question.

    Args:
        figures: All there are.
        question: Of ``QUESTIONS``.
        shape, ridge: Other numbers than those chosen.
    """
    group = QUESTIONS[question]
    learned = {
        left: Correction.of([item for item in figures if group(item) != left], shape, ridge)
        for left in dict.fromkeys(map(group, figures))
    }
    return tuple(LeftOut(item, question, learned[group(item)].ms(case_of(item))) for item in figures)


@functools.cache
def without_scaled(
    figures: tuple[Figure, ...], shape: Shape | None = None, ridge: float = RIDGE
) -> tuple[LeftOut, ...]:
    """Each network of another width or resolution than 1.0 and 224, by those of full size alone."""
    learned = Correction.of([item for item in figures if full_size(item)], shape, ridge)
    return tuple(LeftOut(item, SCALED, learned.ms(case_of(item))) for item in figures if not full_size(item))


def threads_used(of: Figure | Case) -> int:
    """Threads that compute: no more than there are cores, and all of them where nobody says how many."""
    cores = of.machine.cpu.cores
    return min(of.threads or cores, cores or of.threads)


def full_size(figure: Figure) -> bool:
    """Whether its network has width 1.0 and resolution 224."""
    return (figure.network.alpha, figure.network.resolution) == (1.0, 224)


def within(rows: Sequence[LeftOut]) -> float:
    """The factor that at least nine in ten of them are within, up or down."""
    far = sorted(abs(math.log(row.ratio)) for row in rows)
    return math.exp(far[math.ceil(SHARE * len(far)) - 1])
