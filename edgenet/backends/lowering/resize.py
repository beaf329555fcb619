"""Resize: the picture in another size inside a network, where TFLite reads the same places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.backends.lowering.rescaling import emit_on_one_scale
from edgenet.backends.lowering.scope import ELSEWHERE, IMAGE_RANK, Scope
from edgenet.graph.graph import attributes

__all__ = ["lower_resize"]

CODES = {b"nearest": "RESIZE_NEAREST_NEIGHBOR", b"linear": "RESIZE_BILINEAR"}
OPTIONS = {b"nearest": "ResizeNearestNeighborOptions", b"linear": "ResizeBilinearOptions"}
# TFLite's two switches, in the order in which they are tried.
SWITCHES = (
    {"alignCorners": False, "halfPixelCenters": True},
    {"alignCorners": False, "halfPixelCenters": False},
    {"alignCorners": True, "halfPixelCenters": False},
)


def lower_resize(scope: Scope, node: NodeProto) -> None:
    """Resize → RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR, the latter computed in float.

    Source: ONNX's formulas of coordinate transformations, and tensorflow/lite/kernels/internal/reference/
    resize_bilinear.h and resize_nearest_neighbor.h; the two are compared position by position.
    """
    options = attributes(node)
    mode = options.get("mode", b"nearest")
    shape, made = scope.graph.shape(node.input[0]), scope.graph.shape(node.output[0])
    if mode not in CODES or options.get("antialias", 0) or len(shape) != IMAGE_RANK or shape[:2] != made[:2]:
        raise scope.refuse(node, f"mode {mode.decode()} from {shape} to {made}", ELSEWHERE)
    sides = list(zip(shape[2:], made[2:], strict=True))
    fitting = [item for item in SWITCHES if all(_same(options, mode, item, *side) for side in sides)]
    if not fitting:
        how = options.get("coordinate_transformation_mode", b"half_pixel").decode()
        raise scope.refuse(node, f"TFLite places {how} pixels elsewhere", ELSEWHERE)
    source = scope.input(node, node.input[0])
    size = scope.constant(f"{node.output[0]}/size", np.array(made[2:], np.int32))
    fields = (OPTIONS[mode], dict(fitting[0]))
    version = 3 if fitting[0]["halfPixelCenters"] else 1
    emit_on_one_scale(scope, node, node.output[0], CODES[mode], (source, size), fields, version)


def _same(options: dict[str, bytes], mode: bytes, switches: dict[str, bool], read: int, made: int) -> bool:
    """Whether both runtimes read the same places of a side."""
    ours, theirs = _onnx(options, read, made), _tflite(switches, read, made)
    if mode == b"linear":
        return bool(np.allclose(ours.clip(0, read - 1), theirs.clip(0, read - 1), atol=1e-5))
    rounding = options.get("nearest_mode", b"round_prefer_floor")
    picked = {
        b"floor": np.floor(ours),
        b"ceil": np.ceil(ours),
        b"round_prefer_ceil": np.floor(ours + 0.5),
    }.get(rounding, np.ceil(ours - 0.5))
    if switches["halfPixelCenters"]:
        theirs = np.floor(theirs + 0.5)
    else:
        theirs = np.floor(theirs + 0.5) if switches["alignCorners"] else np.floor(theirs)
    return bool(np.array_equal(picked.clip(0, read - 1), theirs.clip(0, read - 1)))


def _onnx(options: dict[str, bytes], read: int, made: int) -> NDArray[np.float64]:
    places, scale = np.arange(made, dtype=np.float64), read / made
    kind = options.get("coordinate_transformation_mode", b"half_pixel")
    if kind == b"asymmetric":
        return places * scale
    if kind == b"align_corners":
        return places * (read - 1) / max(made - 1, 1)
    if kind in (b"half_pixel", b"pytorch_half_pixel"):
        single = kind == b"pytorch_half_pixel" and made == 1
        return places * 0 if single else (places + 0.5) * scale - 0.5
    return np.full(made, np.nan)


def _tflite(switches: dict[str, bool], read: int, made: int) -> NDArray[np.float64]:
    places = np.arange(made, dtype=np.float64)
    if switches["alignCorners"] and made > 1:
        return places * (read - 1) / (made - 1)
    if switches["halfPixelCenters"]:
        return (places + 0.5) * read / made - 0.5
    return places * read / made
