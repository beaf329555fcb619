"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, where ONNX reads the same places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["resized"]

# What nearest rounds: tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h.
ROUNDING = {"half_pixel": "round_prefer_ceil", "align_corners": "round_prefer_ceil", "asymmetric": "floor"}


def resized(mode: str) -> Callable[[Scope, Operator], None]:
    """A picture in another size; ``mode`` in ONNX's words."""

    def write(scope: Scope, op: Operator) -> None:
        shape, size = scope.shape(op.inputs[0]), np.ravel(scope.number(op, 1))
        if len(shape) != 4 or size.size != 2 or size.min() < 1:
            raise scope.damaged(op, f"{list(shape)} in the size {size[:4].tolist()}")
        places = "half_pixel" if op.options.get("HalfPixelCenters") else "asymmetric"
        if op.options.get("AlignCorners"):
            places = "align_corners"
        wanted = [shape[0], shape[3], int(size[0]), int(size[1])]
        inputs = [scope.real(op.inputs[0]), "", "", scope.held(wanted, np.int64)]
        options = {"mode": mode, "coordinate_transformation_mode": places}
        if mode == "nearest":
            options["nearest_mode"] = ROUNDING[places]
        result = scope.emit("Resize", inputs, scope.result(op), **options)
        scope.finish(op, result, (shape[0], wanted[2], wanted[3], shape[3]))

    return write
