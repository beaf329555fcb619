"""Every weight to its nearest integer, with ranges as they were observed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qparams import Affine, Int8Weights
from edgenet.quantize.calibration.ranges import affine, quantize_weights
from edgenet.quantize.rounding.layerwise import Reconstruction
from edgenet.recipe import Recipe

__all__ = ["nearest"]


def nearest(graph: Graph, ranges: Mapping[str, tuple[float, float]], recipe: Recipe) -> Reconstruction:
    """Scales from ranges, every weight to its nearest step."""
    tensors = {name: affine(*limits) for name, limits in ranges.items()}
    result = Reconstruction(tensors)
    for conv in [node for node in graph.nodes if node.op_type == "Conv"]:
        kernel, bias = graph.constants[conv.input[1]], graph.constants[conv.input[2]]
        result.biases[conv.output[0]] = bias
        scale = _input_scale(graph, conv.input[0], tensors)
        rounded = quantize_weights(kernel, bias, scale, recipe.granularity == "per-channel")
        result.weights[conv.output[0]] = rounded
        result.layers.append({"name": conv.name or conv.output[0], "sqnr_db": _sqnr(kernel, rounded)})
    return result


def _input_scale(graph: Graph, name: str, tensors: dict[str, Affine]) -> float:
    """The int8 scale of a convolution's input, looked up through reshapes; 1 for the pixels."""
    source = moved_from(graph, name, tensors)
    return 1.0 if source is None else tensors[source].scale


def _sqnr(kernel: NDArray[np.float32], rounded: Int8Weights) -> float:
    """Signal to quantization noise of the weights, in dB; 120 where nothing was lost."""
    scales = rounded.scales.reshape(-1, *[1] * (kernel.ndim - 1))
    noise = float(np.square(kernel - rounded.values * scales, dtype=np.float64).mean())
    signal = float(np.square(kernel, dtype=np.float64).mean())
    return round(10 * np.log10(signal / noise), 1) if noise > signal * 1e-12 else 120.0
