"""MobileNetV1 as an ONNX graph, for any width and resolution.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv 1704.04861: the layers are Table 1, ``alpha`` is the width multiplier and
``resolution`` carries the resolution multiplier. Where the paper is silent the graph follows
TensorFlow's own ``slim/nets/mobilenet_v1.py``: depths ``max(int(depth * alpha), 8)``, SAME padding,
ReLU6, batch normalisation with epsilon 1e-3 after every convolution but the classifier, which is
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

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import ModelError

__all__ = ["BN_EPSILON", "Layer", "layers", "mobilenet_v1", "same_padding", "weight_shapes"]

BN_EPSILON = 1e-3
OPSET, IR_VERSION = 13, 8
MIN_DEPTH = 8
STEM_DEPTH = 32
# Table 1 of the paper: output depth at alpha 1 and stride of each depthwise-separable block.
BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)
RESOLUTIONS = range(32, 1025)
MAX_ALPHA = 4.0


@dataclass(frozen=True)
class Layer:
    """One convolution with batch normalisation and ReLU6.

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
    if not (math.isfinite(alpha) and 0.0 < alpha <= MAX_ALPHA):
        raise ModelError(
            f"width multiplier {alpha} is not in (0, {MAX_ALPHA:g}]", "the paper uses 0.25 to 1.0"
        )
    depth = _scaled(STEM_DEPTH, alpha)
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
    if classes < 1:
        raise ModelError(f"a classifier cannot have {classes} classes", "give 1 or more")
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers(alpha):
        shapes[f"{layer.name}/kernel"] = layer.kernel
        for moment in ("gamma", "beta", "mean", "variance"):
            shapes[f"{layer.name}/bn/{moment}"] = (layer.kernel[0],)
    shapes["classifier/kernel"] = (classes, layers(alpha)[-1].kernel[0], 1, 1)
    shapes["classifier/bias"] = (classes,)
    return shapes


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels TensorFlow's SAME adds before and after an axis: the odd one goes after.

    Source: TensorFlow ``tf.nn.convolution``, "padding"; at stride 2 a 3x3 kernel gets (0, 1) on an
    even size and (1, 1) on an odd one.
    """
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


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
            kernels are drawn He-normal from ``seed`` and the batch normalisations do nothing.
        seed: Of the drawn kernels; the same seed gives the same bytes.

    Returns:
        A checked model, opset 13, IR 8: ``input`` float32 [1, 3, resolution, resolution] to
        ``logits`` float32 [1, classes].

    Raises:
        ModelError: A number is out of range, or a weight is missing, unknown or of another shape.
    """
    if resolution not in RESOLUTIONS:
        raise ModelError(
            f"resolution {resolution} is not a whole number from {RESOLUTIONS[0]} to {RESOLUTIONS[-1]}",
            "the paper uses 128, 160, 192 and 224",
        )
    shapes = weight_shapes(alpha, classes)
    arrays = _he_normal(shapes, seed) if weights is None else _checked(weights, shapes)
    nodes, last = _features(alpha, resolution)
    nodes += _head(last)
    limits = {"relu6/min": np.float32(0.0), "relu6/max": np.float32(6.0)}
    graph = helper.make_graph(
        nodes,
        f"mobilenet_v1_{alpha:g}_{resolution}",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, resolution, resolution])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (arrays | limits).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="edgenet")
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model)
    return model


def _scaled(depth: int, alpha: float) -> int:
    return max(int(depth * alpha), MIN_DEPTH)


def _he_normal(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """He et al., arXiv 1502.01852: kernels of variance 2 / fan-in."""
    random = np.random.default_rng(seed)
    arrays = {}
    for name, shape in shapes.items():
        if name.endswith("kernel"):
            kernel = random.standard_normal(shape) * math.sqrt(2.0 / math.prod(shape[1:]))
            arrays[name] = kernel.astype(np.float32)
        else:
            arrays[name] = np.full(shape, name.endswith(("gamma", "variance")), np.float32)
    return arrays


def _checked(
    weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    remedy = "edgenet.zoo.mobilenet_v1.weight_shapes lists every name and shape"
    if missing := [name for name in shapes if name not in weights]:
        raise ModelError(f"{len(missing)} weights are missing, the first is {missing[0]}", remedy)
    if extra := sorted(set(weights) - set(shapes)):
        raise ModelError(f"{len(extra)} weights belong to no layer, the first is {extra[0]}", remedy)
    for name, shape in shapes.items():
        if np.shape(weights[name]) != shape:
            raise ModelError(f"{name} has shape {list(np.shape(weights[name]))}, not {list(shape)}", remedy)
    return {name: np.ascontiguousarray(weights[name], np.float32) for name in shapes}


def _features(alpha: float, resolution: int) -> tuple[list[onnx.NodeProto], str]:
    """All nodes up to the pooling, and the name of the last tensor."""
    nodes: list[onnx.NodeProto] = []
    source, size = "input", resolution
    for layer in layers(alpha):
        nodes += _convolution(layer, source, size)
        source, size = f"{layer.name}/relu6", math.ceil(size / layer.stride)
    return nodes, source


def _convolution(layer: Layer, source: str, size: int) -> list[onnx.NodeProto]:
    """Convolution, batch normalisation and ReLU6 on a square of ``size`` pixels."""
    name, kernel = layer.name, layer.kernel[2:]
    before, after = same_padding(size, kernel[0], layer.stride)
    moments = [f"{name}/bn/{moment}" for moment in ("gamma", "beta", "mean", "variance")]
    return [
        helper.make_node(
            "Conv",
            [source, f"{name}/kernel"],
            [f"{name}/conv"],
            name=f"{name}/conv",
            kernel_shape=kernel,
            strides=[layer.stride] * 2,
            pads=[before, before, after, after],
            group=layer.groups,
        ),
        helper.make_node(
            "BatchNormalization",
            [f"{name}/conv", *moments],
            [f"{name}/bn"],
            name=f"{name}/bn",
            epsilon=BN_EPSILON,
        ),
        helper.make_node(
            "Clip",
            [f"{name}/bn", "relu6/min", "relu6/max"],
            [f"{name}/relu6"],
            name=f"{name}/relu6",
        ),
    ]


def _head(source: str) -> list[onnx.NodeProto]:
    """Pooling to one pixel, and the classifier."""
    weights = ["classifier/kernel", "classifier/bias"]
    return [
        helper.make_node("GlobalAveragePool", [source], ["pool"], name="pool"),
        helper.make_node(
            "Conv", ["pool", *weights], ["classifier/conv"], name="classifier/conv", kernel_shape=[1, 1]
        ),
        helper.make_node("Flatten", ["classifier/conv"], ["logits"], name="flatten", axis=1),
    ]
