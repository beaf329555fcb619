"""Int8 parameters as plain data: what a quantizer decides and a graph carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Affine", "Int8Weights", "OutputScales"]


@dataclass(frozen=True)
class Affine:
    """``real = scale * (q - zero_point)`` with q int8 in [-128, 127].

    Attributes:
        scale: Real units a step, positive, a float32 value.
        zero_point: The int8 value of real zero.
    """

    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        """The smallest real value that can be expressed."""
        return self.scale * (-128 - self.zero_point)

    @property
    def high(self) -> float:
        """The largest real value that can be expressed."""
        return self.scale * (127 - self.zero_point)


@dataclass(frozen=True)
class OutputScales:
    """How the outputs of an int8 graph are read, in their order."""

    outputs: tuple[Affine, ...]


@dataclass(frozen=True)
class Int8Weights:
    """A kernel and its bias in integers.

    Attributes:
        values: int8 [outputs, ...], symmetric (zero point 0).
        scales: float32 [outputs], real units a step of ``values``.
        bias: int32 [outputs].
        bias_scales: float32 [outputs], input scale x ``scales``: real units a step of ``bias``.
    """

    values: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.int32]
    bias_scales: NDArray[np.float32]
