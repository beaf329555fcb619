"""MobileNetV2 as an ONNX graph, for any width and resolution.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381: the layers are
Table 2. Where the paper is silent the graph follows TensorFlow's ``slim/nets/mobilenet/mobilenet_v2.py``:
depths are multiples of 8, and the last convolution keeps its 1280 channels below width 1.

Names of layers: ``stem``, ``block1`` to ``block17`` with ``expand`` (not in block 1), ``depthwise``,
``project`` and ``add`` (where the block keeps size and depth), ``last``, ``classifier``. Names of their
weights: :mod:`edgenet.zoo.network`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.zoo.network import Network, rounded_depth, width_multiplier

__all__ = ["features", "mobilenet_v2", "weight_shapes"]

OPSET = 13
STEM_DEPTH, LAST_DEPTH = 32, 1280
# Table 2 of the paper: expansion, output depth at alpha 1, repetitions, stride of the first.
STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def weight_shapes(alpha: float = 1.0, classes: int = 1000) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight :func:`mobilenet_v2` takes, in graph order.

    Raises:
        ModelError: ``alpha`` or ``classes`` is out of range.
    """
    return _network(alpha, 224, classes).shapes


def mobilenet_v2(
    alpha: float = 1.0,
    resolution: int = 224,
    classes: int = 1000,
    *,
    weights: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> onnx.ModelProto:
    """Build MobileNetV2.

    Args:
        alpha: Width multiplier, in (0, 4]; the published ones are 0.35, 0.5, 0.75, 1.0, 1.3 and 1.4.
        resolution: Height and width of the input in pixels, 32 to 1024.
        classes: Number of logits.
        weights: Every array :func:`weight_shapes` names, converted to float32. Without it the
            kernels are drawn from ``seed`` and the batch normalizations do nothing.
        seed: Of the drawn kernels; the same seed gives the same bytes.

    Returns:
        A checked model, opset 13, IR 8: ``input`` float32 [1, 3, resolution, resolution] to
        ``logits`` float32 [1, classes].

    Raises:
        ModelError: A number is out of range, or a weight is missing, unknown or of another shape.
    """
    network = _network(alpha, resolution, classes)
    return network.model(f"mobilenet_v2_{alpha:g}_{resolution}", weights, seed, OPSET)


def _network(alpha: float, resolution: int, classes: int) -> Network:
    if classes < 1:
        raise ModelError(f"a classifier cannot have {classes} classes", "give 1 or more")
    network = Network(resolution)
    pooled = network.pool("pool", features(network, alpha))
    network.logits(network.dense("classifier", pooled, classes))
    return network


def features(network: Network, alpha: float, narrow: bool = False) -> str:
    """Everything before the pooling; returns the last tensor.

    Args:
        network: What is added to.
        alpha: Width multiplier.
        narrow: Scale the last convolution's channels below width 1 too, as detectors do.

    Raises:
        ModelError: ``alpha`` is out of range.
    """
    stem = rounded_depth(STEM_DEPTH * width_multiplier(alpha, "the published ones are 0.35 to 1.4"))
    source = network.convolution("stem", "input", stem, 3, 2, activation="relu6")
    number = 0
    for expansion, full, repetitions, first in STAGES:
        for repetition in range(repetitions):
            number += 1
            stride = first if repetition == 0 else 1
            depth = rounded_depth(full * alpha)
            source = _block(network, f"block{number}", source, expansion, depth, stride)
    last = rounded_depth(LAST_DEPTH * (alpha if narrow else max(alpha, 1.0)))
    return network.convolution("last", source, last, activation="relu6")


def _block(network: Network, name: str, source: str, expansion: int, depth: int, stride: int) -> str:
    """An inverted residual: expand, filter, project; added to its input where the shapes are one."""
    wide, value = network.depth(source) * expansion, source
    if expansion > 1:
        value = network.convolution(f"{name}/expand", value, wide, activation="relu6")
    value = network.convolution(
        f"{name}/depthwise", value, wide, 3, stride, depthwise=True, activation="relu6"
    )
    value = network.convolution(f"{name}/project", value, depth)
    if stride == 1 and network.depth(source) == depth:
        return network.add(f"{name}/add", source, value)
    return value
