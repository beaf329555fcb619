"""How much longer a network takes than its roofline: a log-linear model of a few traits, with shrinkage.

The logarithm of measured time over roofline is a sum over traits: the kernels, the core design, both with the
precision, and the family of the network. A trait's share is shrunk toward 0 (ridge regression, Hoerl and
Kennard 1970), so that one that a few figures show tells little, and one that none shows tells nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgenet.estimates.figure import Figure
from edgenet.estimates.roofline import Shape, roofline_ms
from edgenet.estimates.work import Work
from edgenet.published import Machine

__all__ = ["RIDGE", "Case", "Correction", "case_of"]

# What a trait's square costs beside the squares of the errors; chosen with the roofline's numbers.
RIDGE = 0.03
# Traits of two things are believed less than those of one.
PAIR = 0.5
# The mean over all figures is not shrunk.
FREE = 1e-6


@dataclass(frozen=True)
class Case:
    """What a time depends on.

    Attributes:
        work: Of the network.
        machine: The board.
        precision: "fp32", "fp16" or "int8".
        kernels: As a figure has them.
        threads: Of the runtime; 0 means every core.
    """

    work: Work
    machine: Machine
    precision: str
    kernels: str
    threads: int

    def traits(self) -> dict[str, float]:
        """Trait → how much it weighs."""
        number = "int8" if self.precision == "int8" else "float"
        core, family = self.machine.cpu.core, self.work.family
        found = {
            f"kernels {self.kernels}": 1.0,
            f"kernels {self.kernels} {number}": 1.0,
            f"core {core}": 1.0,
            f"core {core} {number}": PAIR,
        }
        if family is not None:
            found |= {
                f"family {family}": 1.0,
                f"family {family} {number}": 1.0,
                f"kernels {self.kernels} {family}": PAIR,
            }
        return found


def case_of(figure: Figure) -> Case:
    """What a figure is of."""
    return Case(figure.work, figure.machine, figure.precision, figure.kernels, figure.threads)


@dataclass(frozen=True)
class Correction:
    """What figures say of times beside rooflines.

    Attributes:
        mean: Of the logarithms.
        traits: Trait → its share of a logarithm.
        shape: Of the roofline.
    """

    mean: float
    traits: Mapping[str, float]
    shape: Shape

    @classmethod
    def of(cls, figures: Sequence[Figure], shape: Shape | None = None, ridge: float = RIDGE) -> Correction:
        """Learn from figures; without any a time is its roofline."""
        shape = shape or Shape()
        cases = [case_of(figure) for figure in figures]
        roofs = [_roof(case, shape) for case in cases]
        logs = [math.log(figure.ms / roof) for figure, roof in zip(figures, roofs, strict=True)]
        names = sorted({name for case in cases for name in case.traits()})
        table = np.array([[*map(case.traits().get, names, [0.0] * len(names)), 1.0] for case in cases], float)
        if not cases:
            return cls(0.0, {}, shape)
        penalty = np.diag([ridge] * len(names) + [FREE])
        shares = np.linalg.solve(table.T @ table + penalty, table.T @ np.array(logs))
        return cls(float(shares[-1]), dict(zip(names, map(float, shares), strict=False)), shape)

    def ms(self, case: Case) -> float:
        """The time of a case whose processor has a known clock, ms an image."""
        told = sum(weight * self.traits.get(name, 0.0) for name, weight in case.traits().items())
        return _roof(case, self.shape) * math.exp(self.mean + told)


def _roof(case: Case, shape: Shape) -> float:
    found = roofline_ms(case.work, case.machine, case.precision, case.threads, shape)
    assert found is not None, "figures are of processors with a clock"
    return found
