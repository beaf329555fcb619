"""MobileNetV1 as an ONNX graph, for any width and resolution.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv 1704.04861: the layers are Table 1, ``alpha`` is the width multiplier and
``resolution`` carries the resolution multiplier. Where the paper is silent the graph follows
TensorFlow's own ``slim/nets/mobilenet_v1.py``: depths ``max(int(depth * alpha), 8)``, SAME padding,
ReLU6, batch normalization with epsilon 1e-3 after every convolution but the classifier, which is
a 1x1 convolution with bias.

Names of weights::

    stem/kernel                     float32 [out, 3, 3, 3]
    block1/depthwise/kernel         float32 [channels, 1, 3, 3]     blocks 1 to 13
    block1/pointwise/kernel         float32 [out, in, 1, 1]
    .../bn/{gamma,beta,mean,variance}   float32 [channels]          beside every kernel above
    classifier/kernel               float32 [classes, in, 1, 1]
    classifier/bias                 float32 [classes]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.zoo.network import Network, width_multiplier

__all__ = ["Layer", "features", "layers", "mobilenet_v1", "weight_shapes"]

OPSET = 13
MIN_DEPTH = 8
STEM_DEPTH = 32
# Table 1 of the paper: output depth at alpha 1 and stride of each depthwise-separable block.
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)


@dataclass(frozen=True)
class Layer:
    """One convolution with batch normalization and ReLU6.

    Attributes:
        name: Prefix of its nodes and weights, such as ``block3/depthwise``.
        kernel: Shape of its kernel [out, in / groups, height, width].
        stride: Step in both directions, in pixels.
        groups: 1, or the number of channels where it is depthwise.
    """

    name: str
    kernel: tuple[int, int, int, int]
    stride: int
    groups: int


def layers(alpha: float) -> list[Layer]:
    """The 27 convolutions before the classifier, in order.

    Args:
        alpha: Width multiplier, in (0, 4].

    Raises:
        ModelError: ``alpha`` is outside that range.
    """
    depth = _scaled(STEM_DEPTH, width_multiplier(alpha, "the paper uses 0.25 to 1.0"))
    result = [Layer("stem", (depth, 3, 3, 3), 2, 1)]
    for number, (full, stride) in enumerate(BLOCKS, start=1):
        out = _scaled(full, alpha)
        result.append(Layer(f"block{number}/depthwise", (depth, 1, 3, 3), stride, depth))
        result.append(Layer(f"block{number}/pointwise", (out, depth, 1, 1), 1, 1))
        depth = out
    return result


def weight_shapes(alpha: float = 1.0, classes: int = 1000) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight :func:`mobilenet_v1` takes, in graph order.

    Raises:
        ModelError: ``alpha`` or ``classes`` is out of range.
    """
    return _network(alpha, 224, classes).shapes


def mobilenet_v1(
    alpha: float = 1.0,
    resolution: int = 224,
    classes: int = 1000,
    *,
    weights: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> onnx.ModelProto:
    """Build MobileNetV1.

    Args:
        alpha: Width multiplier, in (0, 4]; the paper's are 0.25, 0.5, 0.75 and 1.0.
        resolution: Height and width of the input in pixels, 32 to 1024.
        classes: Number of logits.
        weights: Every array :func:`weight_shapes` names, converted to float32. Without it the
            kernels are drawn He-normal from ``seed`` and the batch normalizations do nothing.
        seed: Of the drawn kernels; the same seed gives the same bytes.

    Returns:
        A checked model, opset 13, IR 8: ``input`` float32 [1, 3, resolution, resolution] to
        ``logits`` float32 [1, classes].

    Raises:
        ModelError: A number is out of range, or a weight is missing, unknown or of another shape.
    """
    network = _network(alpha, resolution, classes)
    return network.model(f"mobilenet_v1_{alpha:g}_{resolution}", weights, seed, OPSET)


def _network(alpha: float, resolution: int, classes: int) -> Network:
    if classes < 1:
        raise ModelError(f"a classifier cannot have {classes} classes", "give 1 or more")
    network = Network(resolution)
    pooled = network.pool("pool", features(network, alpha))
    network.logits(network.dense("classifier", pooled, classes))
    return network


def features(network: Network, alpha: float) -> str:
    """Everything before the pooling; returns the last tensor.

    Raises:
        ModelError: ``alpha`` is out of range.
    """
    source = "input"
    for layer in layers(alpha):
        out, _, kernel, _ = layer.kernel
        source = network.convolution(
            layer.name, source, out, kernel, layer.stride, depthwise=layer.groups > 1, activation="relu6"
        )
    return source


def _scaled(depth: int, alpha: float) -> int:
    return max(int(depth * alpha), MIN_DEPTH)
