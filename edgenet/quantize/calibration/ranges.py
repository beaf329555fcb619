"""From real ranges to int8 scales and zero points.

The affine scheme of Jacob et al. (arXiv 1712.05877, section 2.1) with the conventions of the TFLite 8-bit
quantization specification: activations asymmetric per tensor in [-128, 127], weights symmetric per output
channel in [-127, 127], biases int32 with the product of both scales.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.insert import clip_bounds
from edgenet.graph.qparams import DTYPES, INT8, LARGEST_WEIGHT, STEPS, Affine, Int8Weights

__all__ = ["affine", "output_range", "quantize_weights", "with_headroom"]

# A bias may use half of int32; the other half is the accumulator's.
BIAS_LIMIT = 2**30


def affine(low: float, high: float, bits: int = 8) -> Affine:
    """The parameters of a range in real units; real 0 is always expressed exactly.

    With 16 bits they are symmetric, as TFLite's kernels want them (its 16x8 quantization).
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if bits > 8:
        largest = int(np.iinfo(DTYPES[bits]).max)
        return Affine(_scale(max(-low, high), largest) or _scale(1.0, largest), 0, bits)
    scale = _scale(high - low, STEPS)
    if not scale:
        return Affine(_scale(1.0, STEPS), int(INT8.min))  # nothing but zero: as behind a ReLU
    return Affine(scale, int(np.clip(np.round(INT8.min - low / scale), INT8.min, INT8.max)))


def _scale(span: float, steps: int) -> float:
    """Real units a step, as a float32 has them; 0 where it has none so small."""
    scale = float(np.float32(span / steps))
    return scale if scale >= np.finfo(np.float32).tiny else 0.0


def with_headroom(graph: Graph, name: str, seen: tuple[float, float], headroom: float) -> tuple[float, float]:
    """What may be seen of a tensor: so much more than was, but for what its activation cuts off."""
    node, (low, high) = graph.producer(name), (end * (1.0 + headroom) for end in seen)
    if node is None or node.op_type not in ("Clip", "Relu"):
        return low, high
    bottom, top = clip_bounds(graph, node) if node.op_type == "Clip" else (0.0, np.inf)
    return max(low, bottom), min(high, top)


def quantize_weights(
    kernel: NDArray[np.float32], bias: NDArray[np.float32], input_scale: float, per_channel: bool = True
) -> Int8Weights:
    """Round a kernel [outputs, ...] to nearest in int8 and its bias [outputs] to int32.

    A channel's scale is raised where its bias would not fit into int32 (a near-dead channel has tiny
    weights beside its bias).
    """
    flat = kernel.reshape(len(kernel), -1).astype(np.float64)
    largest = np.abs(flat).max(axis=1)
    if not per_channel:
        largest = np.full_like(largest, largest.max())
    floor = np.abs(bias.astype(np.float64)) / (input_scale * BIAS_LIMIT)
    scales = np.maximum(np.where(largest > 0, largest / LARGEST_WEIGHT, 1.0), floor)
    scales = np.maximum(scales, np.finfo(np.float32).tiny).astype(np.float32)
    values = np.clip(np.round(flat / scales.astype(np.float64)[:, None]), -LARGEST_WEIGHT, LARGEST_WEIGHT)
    bias_scales = (np.float32(input_scale) * scales).astype(np.float32)
    steps = np.round(bias.astype(np.float64) / bias_scales.astype(np.float64))
    return Int8Weights(
        values.astype(np.int8).reshape(kernel.shape), scales, steps.astype(np.int32), bias_scales
    )


def output_range(got: NDArray[np.float32], divergence: Callable[[NDArray[np.float64]], float]) -> Affine:
    """The int8 range of the network's output that keeps the answers best.

    Two logits less than a step apart become a tie, so a step should be small where the decision is made; a
    logit far below the best one has no probability to lose. The range with the least divergence from the
    float network's answers is taken; values beyond it saturate.

    Args:
        got: float32 [images, values], outputs of the int8 run before rounding.
        divergence: The task's, from the float run's outputs, of values [images, values].
    """
    low, high = min(float(got.min()), 0.0), max(float(got.max()), 0.0)
    least, chosen = np.inf, affine(low, high)
    for bottom in np.linspace(1.0, 0.0, 11):
        for top in np.linspace(1.0, 0.4, 13):
            tried = affine(low * bottom, high * top)
            steps = tried.quantized(got).astype(np.float64)
            found = divergence((steps - tried.zero_point) * tried.scale)
            if found < least:
                least, chosen = found, tried
    return chosen
