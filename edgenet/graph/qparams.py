"""Quantization parameters as plain data: what a quantizer decides and a graph carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DTYPES", "INT8", "LARGEST_WEIGHT", "SIGNED", "STEPS", "Affine", "Int8Weights", "OutputScales"]

INT8 = np.iinfo(np.int8)
STEPS = int(INT8.max) - int(INT8.min)  # of int8, from end to end
SIGNED = -int(INT8.min)  # int8 = uint8 - 128, value and zero point alike
LARGEST_WEIGHT = int(INT8.max)  # weights are symmetric: -128 is not used
# Only since opset 21 has the operator of ONNX itself 16 bits; ONNX Runtime's has them in every graph.
DOMAINS = {8: None, 16: "com.microsoft"}
DTYPES: Mapping[int, type[np.signedinteger[Any]]] = {8: np.int8, 16: np.int16}


@dataclass(frozen=True)
class Affine:
    """``real = scale * (q - zero_point)`` with q a signed integer of so many bits.

    Attributes:
        scale: Real units a step, positive, a float32 value.
        zero_point: The integer of real zero; 0 with 16 bits, which kernels know no other of.
        bits: 8 or 16.
    """

    scale: float
    zero_point: int
    bits: int = 8

    @classmethod
    def of(cls, scale: NDArray[Any], zero_point: NDArray[Any]) -> Affine:
        """What the constants of a QuantizeLinear say: a scale, and a zero point of the integers' type."""
        return cls(float(scale.reshape(())), int(zero_point.reshape(())), 8 * zero_point.dtype.itemsize)

    @property
    def dtype(self) -> type[np.signedinteger[Any]]:
        """The integers' type."""
        return DTYPES[self.bits]

    @property
    def domain(self) -> str | None:
        """Of the QuantizeLinear and DequantizeLinear that have this type; ``None`` for ONNX's own."""
        return DOMAINS[self.bits]

    @property
    def lowest(self) -> int:
        """The smallest integer."""
        return int(np.iinfo(self.dtype).min)

    @property
    def highest(self) -> int:
        """The largest integer."""
        return int(np.iinfo(self.dtype).max)

    @property
    def low(self) -> float:
        """The smallest real value that can be expressed."""
        return self.scale * (self.lowest - self.zero_point)

    @property
    def high(self) -> float:
        """The largest real value that can be expressed."""
        return self.scale * (self.highest - self.zero_point)

    def quantized(self, values: NDArray[np.float32]) -> NDArray[np.signedinteger[Any]]:
        """Real values as integers of its type; those beyond the range saturate."""
        steps = np.asarray(values / np.float32(self.scale))
        np.rint(steps, out=steps)
        steps += self.zero_point
        return np.clip(steps, self.lowest, self.highest, out=steps).astype(self.dtype)

    def dequantized(self, values: NDArray[np.signedinteger[Any]]) -> NDArray[np.float32]:
        """Integers as real values."""
        real = values.astype(np.float32)
        if self.zero_point:
            real -= np.float32(self.zero_point)
        real *= np.float32(self.scale)
        return real


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
