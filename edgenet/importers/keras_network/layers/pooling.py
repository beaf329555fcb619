"""Pooling over windows and over whole maps."""

from __future__ import annotations

from collections.abc import Mapping

from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.layers.window import window
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS", "mean_over_pixels"]


def _pool(kind: str) -> LayerWriter:
    def write(layer: Layer) -> Tensor:
        kernel = layer.config.pair("pool_size", 2)
        strides = kernel if layer.config.values.get("strides") is None else layer.config.pair("strides")
        slid = window(layer, kernel, strides, (1, 1))
        return layer.node(kind, [layer.picture], (*slid.size, layer.picture.shape[2]), **slid.attributes)

    return write


def _global(kind: str) -> LayerWriter:
    def write(layer: Layer) -> Tensor:
        return _over_pixels(layer, kind, layer.config.flag("keepdims", False))

    return write


def mean_over_pixels(layer: Layer, keepdims: bool) -> Tensor:
    """The mean of each channel; height and width stay as 1 and 1, or go."""
    return _over_pixels(layer, "GlobalAveragePool", keepdims)


def _over_pixels(layer: Layer, kind: str, keepdims: bool) -> Tensor:
    depth = layer.picture.shape[2]
    pooled = layer.node(kind, [layer.picture], (1, 1, depth))
    return pooled if keepdims else layer.node("Flatten", [pooled], (depth,), layer.part("flat"), axis=1)


LAYERS: Mapping[str, LayerWriter] = {
    "AveragePooling2D": _pool("AveragePool"),
    "AvgPool2D": _pool("AveragePool"),
    "GlobalAveragePooling2D": _global("GlobalAveragePool"),
    "GlobalAvgPool2D": _global("GlobalAveragePool"),
    "GlobalMaxPool2D": _global("GlobalMaxPool"),
    "GlobalMaxPooling2D": _global("GlobalMaxPool"),
    "MaxPool2D": _pool("MaxPool"),
    "MaxPooling2D": _pool("MaxPool"),
}
