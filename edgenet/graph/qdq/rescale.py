"""Read and change the scale of one tensor of a canonical int8 graph."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import is_nearest
from edgenet.graph.qparams import Affine

__all__ = [
    "SumScales",
    "ends_at_six",
    "fraction",
    "odd_sum",
    "quantization_of",
    "quantizer",
    "rescale",
    "rescale_bias",
    "scale_of",
]

# The largest denominators, the second where the first is too coarse. A sum of p/q steps with q odd is at
# least 1/(2 q) off every tie; the kernels' own error is below 1/4000 of a step (XNNPACK multiplies with 21
# bits, ONNX Runtime with float32's 24).
LARGEST = (255, 1023)
CLOSE = 1.01
INT32 = np.iinfo(np.int32)
UNITS = np.arange(1, 129)  # an integer for the first summand's scale
LARGEST_SUM = 255  # for the sum's
SAME_SCALE = ("Flatten", "GlobalMaxPool", "MaxPool", "Reshape", "Slice", "Squeeze")


def fraction(ratio: float) -> tuple[int, int]:
    """The smallest p/q that is not less than a ratio; q is odd, at most 255, or 1023 for small ratios."""
    for largest in LARGEST:
        bottoms = np.arange(1, largest + 1, 2)
        tops = np.ceil(ratio * bottoms - 1e-9).astype(np.int64).clip(1)
        best = int(np.argmin(tops / bottoms))
        if tops[best] <= CLOSE * ratio * bottoms[best]:
            break
    return int(tops[best]), int(bottoms[best])


class SumScales(NamedTuple):
    """Real units a step of the second summand and of the sum."""

    other: float
    result: float


def odd_sum(one: float, other: float, result: float) -> SumScales | None:
    """The least larger scales of a sum that is never near a tie, while that of one summand stays.

    All are whole multiples of one unit, the result's an odd one.

    Args:
        one: The scale that stays.
        other: That of the other summand.
        result: That of the sum.

    Returns:
        ``None`` where no unit does it.
    """
    unit = one / UNITS
    bottom = np.ceil(result / unit - 1e-9).astype(np.int64)
    bottom += 1 - bottom % 2
    top = np.ceil(other / unit - 1e-9)
    growth = np.where(bottom <= LARGEST_SUM, bottom * unit / result + top * unit / other, math.inf)
    best = int(np.argmin(growth))
    if not math.isfinite(growth[best]):
        return None
    return SumScales(float(top[best] * unit[best]), float(bottom[best] * unit[best]))


def ends_at_six(graph: Graph, quantize: NodeProto) -> bool:
    """Whether a range may stand for a ReLU6, whose end must not move."""
    affine = quantization_of(graph, quantize)
    return affine.zero_point == affine.lowest and math.isclose(affine.high, 6.0, rel_tol=1e-3)


def quantizer(graph: Graph, name: str) -> NodeProto | None:
    """The QuantizeLinear that made an activation's integers; ``None`` for pixels and constants."""
    dequantize = graph.producer(name)
    if dequantize is None or dequantize.op_type != "DequantizeLinear":
        return None
    found = graph.producer(dequantize.input[0])
    return found if found is not None and found.op_type == "QuantizeLinear" else None


def quantization_of(graph: Graph, quantize: NodeProto) -> Affine:
    """What a QuantizeLinear or DequantizeLinear of an activation makes of real numbers."""
    scale, zero = (graph.constants[name] for name in quantize.input[1:3])
    return Affine.of(scale, zero)


def scale_of(graph: Graph, quantize: NodeProto) -> float:
    """Real units a step."""
    return quantization_of(graph, quantize).scale


def rescale(graph: Graph, quantize: NodeProto, scale: float) -> int:
    """Give an activation another scale, in place.

    Convolutions that read it get biases on the new scale (input scale x weight scale), tensors that are it in
    another shape follow.

    Returns:
        How many tensors have another scale now.
    """
    before = scale_of(graph, quantize)
    ratio = float(np.float32(scale)) / before
    if ratio == 1.0:
        return 0
    rescaled = 1
    name = graph.add_constant(f"{quantize.input[1]}/settled", np.array(scale, np.float32))
    graph.set_input(quantize, 1, name)
    for dequantize in graph.consumers(quantize.output[0]):
        graph.set_input(dequantize, 1, name)
        for reader in graph.consumers(dequantize.output[0]):
            if reader.op_type == "Conv":
                rescale_bias(graph, reader, ratio)
            elif reader.op_type in SAME_SCALE or is_nearest(reader):
                after = graph.consumers(reader.output[0])
                if after[0].op_type == "QuantizeLinear" and scale_of(graph, after[0]) == before:
                    rescaled += rescale(graph, after[0], scale)
    return rescaled


def rescale_bias(graph: Graph, conv: NodeProto, ratio: float) -> None:
    """Write a convolution's bias for an input scale that is ``ratio`` times what it was; floats stay."""
    dequantize = graph.producer(conv.input[2])
    if dequantize is None:
        return  # a float bias
    steps, scales = (graph.constants[name] for name in dequantize.input[:2])
    moved = np.clip(np.round(steps / ratio), INT32.min, INT32.max).astype(np.int32)
    scaled = (scales * np.float64(ratio)).astype(np.float32)
    for index, values in enumerate((moved, scaled)):
        name = graph.add_constant(f"{dequantize.input[index]}/settled", values)
        graph.set_input(dequantize, index, name)
