"""Whether an estimate can be told, and how far off it may be: by figures that were left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.estimates.correction import Case
from edgenet.estimates.figure import Figure
from edgenet.estimates.left_out import LeftOut, left_out, threads_used, within, without_scaled

__all__ = ["FARTHEST", "Judged", "judge"]

# Beyond this factor an estimate helps nobody to choose.
FARTHEST = 1.5
# Of which a share of nine in ten says something.
FEWEST = 4


@dataclass(frozen=True)
class Judged:
    """How an estimate does on what it has not seen.

    Attributes:
        factor: That nine in ten left-out figures are within, up or down; ``None`` where none is like it.
        figures: How many figures that rests on.
        why: What was left out; or why it cannot be told.
        tells: Whether the estimate may be shown.
    """

    factor: float | None
    figures: int
    why: str
    tells: bool


def judge(case: Case, figures: tuple[Figure, ...], scaled: bool) -> Judged:
    """Ask of left-out figures what is asked of this case.

    Args:
        case: What is to be estimated.
        figures: All there are.
        scaled: Whether the network is of another width or resolution than those that boards were timed on.
    """
    kernels, core = case.kernels, case.machine.cpu.core
    mine = [item for item in figures if (item.kernels, item.precision) == (kernels, case.precision)]
    if not mine:
        return _no(f"no time of {kernels} at {case.precision} on any processor is published or recorded")
    count = sum(item.kernels == kernels for item in figures)
    if count < FEWEST:
        return _no(f"too few times of {kernels} are published or recorded: {count}")
    if not any(item.core == core for item in figures):
        design = f"{core} cores" if core else "processors of its design"
        return _no(f"no time of any network on {design} is published or recorded")
    asked = _questions(case, figures)
    parts = [_like(question, case, figures) for question in asked]
    factors = [max(within(part) for part in near) for near in parts]
    if scaled and (rows := without_scaled(figures)):
        factors.append(within(rows))
    factor, counted = _together(factors), sum(len(part) for near in parts for part in near)
    words = ", and when ".join(LEFT[question] for question in asked) + (SIZES if scaled else "")
    why = f"nine in ten of {counted} known times were predicted within ×{factor:.2f} when {words}"
    return Judged(factor, counted, why, factor <= FARTHEST)


# How the questions of left_out.py read.
LEFT = {
    "network": "the times of the network on that board were held back",
    "kernels": "all times with these kernels on that board were held back",
    "threads": "all times with as many threads on that board were held back",
    "board": "all times on that board were held back",
    "family": "all times of the network's family with these kernels in this precision were held back",
}
SIZES = ", and for other widths and resolutions when only full-size networks were known"


def _questions(case: Case, figures: Sequence[Figure]) -> list[str]:
    """What of the case no figure shows: the machine's part, and the network's."""
    board = [item for item in figures if item.machine.name == case.machine.name]
    here = {item.kernels for item in board}
    threads = {threads_used(item) for item in board if item.kernels == case.kernels}
    core = {item.kernels for item in figures if item.core == case.machine.cpu.core}
    unseen = {
        "kernels": case.kernels not in here and bool(here or case.kernels not in core),
        "threads": bool(threads) and threads_used(case) not in threads,
        "board": not here,
        "family": not any(_alike(case, item) for item in figures),
    }
    return [question for question, asked in unseen.items() if asked] or ["network"]


def _alike(case: Case, figure: Figure) -> bool:
    """Whether a figure shows the family of the case with its kernels, in its kind of numbers."""
    same = figure.kernels == case.kernels and (figure.precision == "int8") == (case.precision == "int8")
    return same and figure.work.family == case.work.family


def _like(question: str, case: Case, figures: tuple[Figure, ...]) -> list[list[LeftOut]]:
    """Left-out figures of these kernels on this core; of either where they are few.

    The figures of one board and number of threads err alike, so of threads more boards are asked.
    """
    rows = left_out(figures, question)
    same = [row for row in rows if row.figure.kernels == case.kernels]
    core = [row for row in rows if row.figure.core == case.machine.cpu.core]
    here = [row for row in same if row.figure.core == case.machine.cpu.core]
    return [here] if len(here) >= FEWEST and question != "threads" else [same, core]


def _together(factors: Sequence[float]) -> float:
    """Errors that have nothing to do with each other add up as squares."""
    return math.exp(math.hypot(*map(math.log, factors)))


def _no(why: str) -> Judged:
    return Judged(None, 0, why, False)
