"""Windows that slide over a map: sizes, strides, and TensorFlow's padding."""

from __future__ import annotations

from typing import Any, NamedTuple

from edgenet.importers.keras_network.layer import Layer

__all__ = ["Window", "window"]


class Window(NamedTuple):
    """A sliding window.

    Attributes:
        size: Height and width of the map that it leaves.
        attributes: Of the ONNX operator: kernel_shape, strides, pads and, if asked for, dilations.
    """

    size: tuple[int, int]
    attributes: dict[str, Any]


def window(
    layer: Layer, kernel: tuple[int, int], strides: tuple[int, int], dilation: tuple[int, int]
) -> Window:
    """The window of a convolution or a pooling layer.

    "same" is TensorFlow's: the output has ceil(size / stride) places, and of an odd number of pixels that are
    missing the last is added at the end (``tf.nn.convolution``, "padding").

    Raises:
        ModelError: The padding is another, or the map is smaller than the window.
    """
    same = layer.config.choice("padding", "valid", "same", "valid") == "same"
    size, before, after = [], [], []
    for side, taps, stride, spread in zip(layer.picture.shape[:2], kernel, strides, dilation, strict=True):
        reach = (taps - 1) * spread + 1
        count = -(-side // stride) if same else (side - reach) // stride + 1
        missing = max((count - 1) * stride + reach - side, 0) if same else 0
        if count < 1:
            raise layer.config.refuse(
                f"has a window of {reach}, and the map has {side}",
                "give the network pictures of its own size",
            )
        size.append(count)
        before.append(missing // 2)
        after.append(missing - missing // 2)
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": strides, "pads": [*before, *after]}
    if dilation != (1, 1):
        attributes["dilations"] = dilation
    return Window((size[0], size[1]), attributes)
