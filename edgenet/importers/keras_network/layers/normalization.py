"""Batch normalization, and what is done to pixels within the network: Rescaling, Normalization."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.layers.arithmetic import constant
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS"]

LEAST_DEVIATION = 1e-7  # keras.config.epsilon(), below which Normalization does not divide


def _batch_normalization(layer: Layer) -> Tensor:
    config, shape = layer.config, layer.source.shape
    axis = config.values.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, len(shape)) or isinstance(axis, bool):
        raise config.refuse("normalizes another axis than the last, which edgenet does not know")
    depth = (shape[-1],)
    used = [name for name, key in (("gamma", "scale"), ("beta", "center")) if config.flag(key, True)]
    held = layer.arrays(dict.fromkeys([*used, "moving_mean", "moving_variance"], depth))
    held.setdefault("gamma", np.ones(depth, np.float32))
    held.setdefault("beta", np.zeros(depth, np.float32))
    names = [layer.weight(name, held[name]) for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    epsilon = config.number("epsilon", 1e-3)
    return layer.node("BatchNormalization", [layer.source, *names], shape, epsilon=epsilon)


def _rescaling(layer: Layer) -> Tensor:
    scale = constant(layer, "scale", layer.config.values.get("scale", 1.0))
    offset = constant(layer, "offset", layer.config.values.get("offset", 0.0))
    shape = layer.source.shape
    scaled = layer.node("Mul", [layer.source, scale], shape, layer.part("scaled"))
    return layer.node("Add", [scaled, offset], shape)


def _normalization(layer: Layer) -> Tensor:
    """(x - mean) / max(sqrt(variance), 1e-7), by what was told or what ``adapt`` found."""
    config, shape = layer.config, layer.source.shape
    axis = config.values.get("axis", -1)
    axes = axis if isinstance(axis, list) else [] if axis is None else [axis]
    if any(item not in (-1, len(shape)) for item in axes):
        raise config.refuse("normalizes another axis than the last, which edgenet does not know")
    if config.flag("invert", False):
        raise config.refuse("is inverted, which edgenet does not know")
    mean, variance = _moments(layer, (shape[-1],) if axes else ())
    deviation = np.maximum(np.sqrt(variance), np.float32(LEAST_DEVIATION))
    names = [constant(layer, name, values) for name, values in (("mean", mean), ("deviation", deviation))]
    centered = layer.node("Sub", [layer.source, names[0]], shape, layer.part("centered"))
    return layer.node("Div", [centered, names[1]], shape)


def _moments(layer: Layer, shape: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    config = layer.config
    if config.values.get("mean") is None:
        held = layer.arrays({"mean": shape, "variance": shape, "count": None})
        return held["mean"], held["variance"]
    mean, variance = (_numbers(layer, key) for key in ("mean", "variance"))
    return mean, variance


def _numbers(layer: Layer, key: str) -> NDArray[np.float32]:
    """The numbers of a setting, without the axes of length 1 around them."""
    found = np.array(_flat(layer, key, layer.config.values.get(key)), np.float32)
    if not np.isfinite(found).all() or (key == "variance" and found.min() < 0) or not found.size:
        raise layer.config.damaged(key, "numbers")
    return found if found.size > 1 else found[0]


def _flat(layer: Layer, key: str, value: Any) -> list[float]:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) and math.isfinite(item) and abs(item) < 1e30 for item in items):
        raise layer.config.damaged(key, "numbers")
    return [float(item) for item in items]


LAYERS: Mapping[str, LayerWriter] = {
    "BatchNormalization": _batch_normalization,
    "BatchNormalizationV1": _batch_normalization,
    "BatchNormalizationV2": _batch_normalization,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "SyncBatchNormalization": _batch_normalization,
}
