"""Where a kernel lies on its picture: TFLite's SAME and VALID as numbers of pixels."""

from __future__ import annotations

from typing import NamedTuple

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["Window", "window_of"]

SAME, VALID = 0, 1
MOST_STEP = 1 << 16


class Window(NamedTuple):
    """A kernel's place.

    Attributes:
        kernel: Height and width.
        strides: Down and right.
        dilations: Down and right.
        pads: Top, left, bottom, right.
        made: Height and width of the result.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    pads: tuple[int, int, int, int]
    made: tuple[int, int]

    @property
    def attributes(self) -> dict[str, list[int]]:
        """Of an ONNX node."""
        return {"kernel_shape": list(self.kernel), "strides": list(self.strides), "pads": list(self.pads)}


def window_of(scope: Scope, op: Operator, picture: tuple[int, ...], kernel: tuple[int, int]) -> Window:
    """The window of a convolution or a pooling.

    Args:
        scope: The graph being written.
        op: The operator.
        picture: Shape of what it reads, NHWC.
        kernel: Height and width.

    Source: ComputePaddingHeightWidth in tensorflow/lite/kernels/padding.h; of an odd number of pixels the
    last stands at the bottom or right.
    """
    options = op.options
    strides = _pair(scope, op, options.get("StrideH", 1), options.get("StrideW", 1))
    dilations = _pair(scope, op, options.get("DilationHFactor", 1), options.get("DilationWFactor", 1))
    padding = options.get("Padding", SAME)
    if padding not in (SAME, VALID) or len(picture) != 4 or min(kernel) < 1:
        raise scope.damaged(op, f"padding {padding} of {list(picture)}")
    begins, ends, made = [], [], []
    for side, size, stride, dilation in zip(picture[1:3], kernel, strides, dilations, strict=True):
        reach = (size - 1) * dilation + 1
        count = -(-side // stride) if padding == SAME else (side - reach) // stride + 1
        total = max((count - 1) * stride + reach - side, 0) if padding == SAME else 0
        begins.append(total // 2)
        ends.append(total - total // 2)
        made.append(count)
    if min(made) < 1:
        raise scope.damaged(op, f"its kernel {list(kernel)} is larger than its picture {list(picture)}")
    return Window(kernel, strides, dilations, (begins[0], begins[1], ends[0], ends[1]), (made[0], made[1]))


def _pair(scope: Scope, op: Operator, down: int, right: int) -> tuple[int, int]:
    if not (1 <= down <= MOST_STEP and 1 <= right <= MOST_STEP):
        raise scope.damaged(op, f"steps of {down} and {right}")
    return down, right
