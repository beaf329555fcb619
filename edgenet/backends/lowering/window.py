"""Where a sliding window stands: ONNX pads against what a TFLite operator can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto

from edgenet.backends.lowering.scope import Scope
from edgenet.graph.graph import attributes
from edgenet.graph.pads import conv_pads

__all__ = ["Window", "pad_pixels", "window_of"]

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """The geometry of a convolution or pooling, each pair in the order height, width.

    Attributes:
        kernel: Size in taps.
        strides: Step in pixels.
        dilations: Distance between taps in pixels.
        before: Padding at the top and left.
        after: Padding at the bottom and right that the window really reaches.
        padding: "SAME" or "VALID" where TFLite's own rule pads like that, else ``None``.
    """

    kernel: Pair
    strides: Pair
    dilations: Pair
    before: Pair
    after: Pair
    padding: str | None

    @property
    def options(self) -> dict[str, Any]:
        """The fields that convolutions and poolings share."""
        return {
            "padding": self.padding or "VALID",
            "strideH": self.strides[0],
            "strideW": self.strides[1],
        }


def window_of(scope: Scope, node: NodeProto, kernel: Pair) -> Window:
    """The window of a Conv or Pool node.

    TFLite's rule (tensorflow/lite/kernels/padding.h): SAME makes ceil(in / stride) outputs and pads
    ``(out - 1) * stride + reach - in`` pixels, the smaller half before; VALID pads nothing.
    """
    options = attributes(node)
    strides, dilations = (_pair(options.get(name, (1, 1))) for name in ("strides", "dilations"))
    size, out = (_pair(scope.graph.shape(name)[2:]) for name in (node.input[0], node.output[0]))
    # Pixels that all steps together reach over; padding in excess of them is never read.
    span = [(out[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 for i in (0, 1)]
    total = _pair([max(span[i] - size[i], 0) for i in (0, 1)])
    before = _pair(conv_pads(node, size, kernel)[:2])
    after = _pair([max(span[i] - size[i] - before[i], 0) for i in (0, 1)])
    same = all(
        out[i] == -(-size[i] // strides[i])
        and (before[i], after[i]) == (total[i] // 2, total[i] - total[i] // 2)
        for i in (0, 1)
    )
    padding = "SAME" if same else "VALID" if not any((*before, *after)) else None
    return Window(kernel, strides, dilations, before, after, padding)


def pad_pixels(scope: Scope, node: NodeProto, source: int, window: Window, lowest: bool = False) -> int:
    """The window's input, with an explicit PAD where TFLite's own rule does not fit.

    Padded with zeros, or (PADV2) with the lowest number that its type has.
    """
    if window.padding is not None:
        return source
    (top, left), (bottom, right) = window.before, window.after
    batch, height, width, channels = scope.tensor(source).shape
    name = node.name or node.output[0]
    amounts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    padded = scope.like(
        source, f"{name}/padded", (batch, height + top + bottom, width + left + right, channels)
    )
    inputs = [source, scope.constant(f"{name}/pads", amounts)]
    if lowest:
        given = scope.tensor(source)
        value = np.iinfo(np.int8).min if given.dtype == "int8" else np.finfo(np.float32).min
        number = np.array([value], given.dtype)
        inputs.append(scope.constant(f"{name}/lowest", number, given.quantization))
    code = "PADV2" if lowest else "PAD"
    scope.emit(code, inputs, padded, ("PadV2Options" if lowest else "PadOptions", {}))
    return padded


def _pair(values: Any) -> Pair:
    first, second = values
    return int(first), int(second)
