"""Networks of one channel take color pictures: the gray is made in the network, as cameras give color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edgenet.errors import ModelError

__all__ = ["RGB_TO_GRAY", "with_color_input"]

# ITU-R BT.601 luma, as Pillow's "L" and, to a ten-thousandth, TensorFlow's rgb_to_grayscale weigh the colors.
RGB_TO_GRAY = (0.299, 0.587, 0.114)
IMAGE_RANK = 4
TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def with_color_input(proto: onnx.ModelProto, path: Path) -> None:
    """Let a graph that takes one channel take three, in place: the first node weighs them.

    The weights add up to one, so that the same mean and std hold for the colors as for the gray. Of what a
    training tool saw this differs by the rounding of the gray to whole numbers, half a level at most.

    Args:
        proto: Its input is float32 [1, 1, H, W] or [1, H, W, 1].
        path: For messages.

    Raises:
        ModelError: It takes another number of channels.
    """
    graph = proto.graph
    entry = graph.input[0]
    sides = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
    if len(sides) != IMAGE_RANK or 1 not in (sides[1], sides[3]):
        shown = "x".join(str(side or "?") for side in sides)
        raise ModelError(
            f"{path}: input {entry.name!r} is {shown}, and the card says that it is gray",
            'write color = "rgb" (or "bgr") in the card',
        )
    nhwc = sides[1] != 1
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    colors, kernel = (_fresh(f"{entry.name}/{part}", taken) for part in ("colors", "gray"))
    weights = np.asarray(RGB_TO_GRAY, np.float32).reshape(1, 3, 1, 1)
    graph.initializer.append(numpy_helper.from_array(weights, kernel))
    for node in reversed(_nodes(colors, kernel, entry.name, nhwc, taken)):
        graph.node.insert(0, node)
    entry.name = colors
    entry.type.tensor_type.shape.dim[3 if nhwc else 1].dim_value = 3


def _nodes(colors: str, kernel: str, gray: str, nhwc: bool, taken: set[str]) -> list[onnx.NodeProto]:
    if not nhwc:
        return [helper.make_node("Conv", [colors, kernel], [gray], name=gray, kernel_shape=[1, 1])]
    planes, made = (_fresh(f"{gray}/{part}", taken) for part in ("planes", "plane"))
    return [
        helper.make_node("Transpose", [colors], [planes], name=planes, perm=TO_NCHW),
        helper.make_node("Conv", [planes, kernel], [made], name=made, kernel_shape=[1, 1]),
        helper.make_node("Transpose", [made], [gray], name=gray, perm=TO_NHWC),
    ]


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
