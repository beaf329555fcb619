"""Layers that move numbers: padding, cropping, other axes, other sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgenet.importers.keras_network.architecture import AGAIN
from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS"]

MODES = {"nearest": "nearest", "bilinear": "linear"}


def _sides(layer: Layer, key: str) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) from one number, two, or two pairs."""
    value = layer.config.values.get(key, 1)
    value = [value, value] if type(value) is int else value
    pairs = [[item, item] if type(item) is int else item for item in value] if isinstance(value, list) else []
    flat = [side for pair in pairs for side in (pair if isinstance(pair, list) else [])]
    good = (
        len(pairs) == 2 and len(flat) == 4 and all(type(side) is int and 0 <= side < 1 << 16 for side in flat)
    )
    if not good:
        raise layer.config.damaged(key, "pixels at each side")
    return flat[0], flat[1], flat[2], flat[3]


def _zero_padding(layer: Layer) -> Tensor:
    top, bottom, left, right = _sides(layer, "padding")
    height, width, depth = layer.picture.shape
    pads = layer.weight("pads", np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    return layer.node("Pad", [layer.picture, pads], (height + top + bottom, width + left + right, depth))


def _cropping(layer: Layer) -> Tensor:
    top, bottom, left, right = _sides(layer, "cropping")
    height, width, _ = layer.picture.shape
    return _cut(layer, top, left, height - top - bottom, width - left - right)


def _center_crop(layer: Layer) -> Tensor:
    """Keras 2 and 3 cut out the center, and enlarge what is smaller, which is refused."""
    height, width = layer.config.whole("height"), layer.config.whole("width")
    have = layer.picture.shape
    if have[0] < height or have[1] < width:
        raise layer.config.refuse(
            f"cuts {height}x{width} out of {have[0]}x{have[1]}, and so would enlarge it"
        )
    return _cut(layer, (have[0] - height) // 2, (have[1] - width) // 2, height, width)


def _cut(layer: Layer, top: int, left: int, height: int, width: int) -> Tensor:
    have = layer.picture.shape
    if (height, width) == have[:2]:
        return layer.picture
    if height < 1 or width < 1:
        raise layer.config.refuse(f"leaves nothing of a map of {have[0]}x{have[1]}", AGAIN)
    corners = {"starts": [top, left], "ends": [top + height, left + width], "axes": [2, 3]}
    names = [layer.weight(name, np.array(values, np.int64)) for name, values in corners.items()]
    return layer.node("Slice", [layer.picture, *names], (height, width, have[2]))


def _flatten(layer: Layer) -> Tensor:
    layer.check_channels_last()
    return layer.writer.reshaped(layer.source, (math.prod(layer.source.shape),), layer.name)


def _reshape(layer: Layer) -> Tensor:
    target: Any = layer.config.values.get("target_shape")
    size = math.prod(layer.source.shape)
    good = isinstance(target, list) and 1 <= len(target) <= 3 and target.count(-1) <= 1
    if not good or not all(type(side) is int and (side > 0 or side == -1) for side in target):
        raise layer.config.refuse(f"has target_shape = {str(target)[:80]}, which edgenet does not know")
    known = math.prod(side for side in target if side > 0)
    if -1 in target and known and size % known == 0:
        target = [size // known if side == -1 else side for side in target]
    if math.prod(target) != size:
        raise layer.config.damaged("target_shape", f"{size} numbers")
    return layer.writer.reshaped(layer.source, target, layer.name)


def _upsampling(layer: Layer) -> Tensor:
    height, width, depth = layer.picture.shape
    down, right = layer.config.pair("size", 2)
    mode = layer.config.choice("interpolation", "nearest", *MODES)
    return _resized(layer, (height * down, width * right, depth), mode)


def _resizing(layer: Layer) -> Tensor:
    config = layer.config
    shape = (config.whole("height"), config.whole("width"), layer.picture.shape[2])
    if shape == layer.picture.shape:
        return layer.picture
    for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if config.flag(key, False):
            raise config.refuse(f"resizes with {key}, which edgenet does not know")
    return _resized(layer, shape, config.choice("interpolation", "bilinear", *MODES))


def _resized(layer: Layer, shape: Sequence[int], mode: str) -> Tensor:
    """As TensorFlow does it: centers of pixels; the nearest by rounding half of a pixel down."""
    sizes = layer.weight("sizes", np.array([1, shape[2], shape[0], shape[1]], np.int64))
    own = {"nearest_mode": "round_prefer_floor"} if mode == "nearest" else {}
    place = "asymmetric" if own and _whole(layer.picture.shape, shape) else "half_pixel"
    own = {"nearest_mode": "floor"} if place == "asymmetric" else own
    return layer.node(
        "Resize",
        [layer.picture, "", "", sizes],
        shape,
        mode=MODES[mode],
        coordinate_transformation_mode=place,
        **own,
    )


def _whole(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether both sides grow by whole factors: either way of counting has the same nearest pixel."""
    return after[0] % before[0] == 0 and after[1] % before[1] == 0


LAYERS: Mapping[str, LayerWriter] = {
    "CenterCrop": _center_crop,
    "Cropping2D": _cropping,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Resizing": _resizing,
    "UpSampling2D": _upsampling,
    "ZeroPadding2D": _zero_padding,
}
