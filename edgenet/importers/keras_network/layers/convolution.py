"""Convolutions and dense layers.

Keras has kernels [height, width, in, out], ONNX [out, in, height, width].
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.layers.activation import activated, function
from edgenet.importers.keras_network.layers.window import window
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS"]

ONE = (1, 1)


def _conv2d(layer: Layer) -> Tensor:
    config, depth = layer.config, layer.picture.shape[2]
    out, groups, kernel = config.whole("filters"), config.whole("groups", 1), config.pair("kernel_size")
    if depth % groups or out % groups:
        raise config.damaged("groups", f"a divisor of {depth} and {out}")
    held = layer.arrays({"kernel": (*kernel, depth // groups, out), **_bias(layer, out)})
    return _convolved(layer, held["kernel"].transpose(3, 2, 0, 1), held.get("bias"), groups)


def _depthwise(layer: Layer) -> Tensor:
    depth = layer.picture.shape[2]
    many, kernel = layer.config.whole("depth_multiplier", 1), layer.config.pair("kernel_size")
    held = layer.arrays({"kernel": (*kernel, depth, many), **_bias(layer, depth * many)})
    return _convolved(layer, _by_channel(held["kernel"]), held.get("bias"), depth)


def _separable(layer: Layer) -> Tensor:
    """A depthwise convolution and a pointwise one, in one layer."""
    config, depth = layer.config, layer.picture.shape[2]
    out, many, kernel = (
        config.whole("filters"),
        config.whole("depth_multiplier", 1),
        config.pair("kernel_size"),
    )
    wanted = {"depthwise_kernel": (*kernel, depth, many), "pointwise_kernel": (1, 1, depth * many, out)}
    held = layer.arrays({**wanted, **_bias(layer, out)})
    slid = window(layer, kernel, config.pair("strides", 1), config.pair("dilation_rate", 1))
    first = layer.weight("depthwise_kernel", _by_channel(held["depthwise_kernel"]))
    name, shape = layer.part("depthwise"), (*slid.size, depth * many)
    middle = layer.node("Conv", [layer.picture, first], shape, name, group=depth, **slid.attributes)
    weights = [layer.weight("pointwise_kernel", held["pointwise_kernel"].transpose(3, 2, 0, 1))]
    weights += [layer.weight("bias", held["bias"])] if "bias" in held else []
    made = layer.node("Conv", [middle, *weights], (*slid.size, out), _first(layer, "conv"), kernel_shape=ONE)
    return activated(layer, made)


def _dense(layer: Layer) -> Tensor:
    """Over the last axis, whatever stands before it."""
    out, shape = layer.config.whole("units"), layer.source.shape
    held = layer.arrays({"kernel": (shape[-1], out), **_bias(layer, out)})
    name, kernel = _first(layer, "dense"), held["kernel"]
    if layer.source.is_map:
        weights = [layer.weight("kernel", kernel.T[:, :, None, None])]
        weights += [layer.weight("bias", held["bias"])] if "bias" in held else []
        made = layer.node("Conv", [layer.source, *weights], (*shape[:2], out), name, kernel_shape=ONE)
    elif len(shape) == 1:
        weights = [layer.weight("kernel", kernel)]
        weights += [layer.weight("bias", held["bias"])] if "bias" in held else []
        made = layer.node("Gemm", [layer.source, *weights], (out,), name)
    else:
        raise layer.config.refuse(f"is given {len(shape)} axes, which edgenet does not know")
    return activated(layer, made)


def _convolved(
    layer: Layer, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None, groups: int
) -> Tensor:
    config = layer.config
    taps = (int(kernel.shape[2]), int(kernel.shape[3]))
    slid = window(layer, taps, config.pair("strides", 1), config.pair("dilation_rate", 1))
    weights = [layer.weight("kernel", kernel)]
    weights += [] if bias is None else [layer.weight("bias", bias)]
    attributes = {**slid.attributes, **({"group": groups} if groups > 1 else {})}
    shape = (*slid.size, int(kernel.shape[0]))
    made = layer.node("Conv", [layer.picture, *weights], shape, _first(layer, "conv"), **attributes)
    return activated(layer, made)


def _first(layer: Layer, part: str) -> str:
    """The layer's own name, unless an activation of the same layer comes behind and has it."""
    return "" if function(layer.config, "activation") == "linear" else layer.part(part)


def _bias(layer: Layer, out: int) -> Mapping[str, tuple[int, ...]]:
    return {"bias": (out,)} if layer.config.flag("use_bias", True) else {}


def _by_channel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """[height, width, channels, several] as ONNX's [channels x several, 1, height, width]."""
    height, width, depth, many = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(depth * many, 1, height, width)


LAYERS: Mapping[str, LayerWriter] = {
    "Conv2D": _conv2d,
    "Convolution2D": _conv2d,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv2D": _separable,
    "SeparableConvolution2D": _separable,
}
