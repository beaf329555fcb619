"""Networks whose input is quantized bytes with a scale of their own, fed by a card that speaks of pixels.

Such a file (TFLite with a uint8 or int8 input) takes the camera's bytes as they are. Its card tells how the
float network was fed, and the two are seldom the same number: for mean 127.5 and std 127.5 the file says zero
point 127, half a step beside, because a zero point is whole. What the network sees is what its scale says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.preprocessing import Preprocessing

__all__ = ["as_its_scale_says", "with_quantized_picture"]

BYTES = {TensorProto.UINT8: 0, TensorProto.INT8: 128}  # what is taken off a pixel
CLOSE = 1e-4  # of 255 steps that is a small part of one
STEP = 1.01  # so many steps between card and scale are rounding: 255/256 of a range counts as all of it


def as_its_scale_says(proto: onnx.ModelProto, preprocessing: Preprocessing) -> Preprocessing:
    """The card's preprocessing; where the graph takes bytes, with the mean and std that its own scale says.

    So it is where the card makes each pixel the byte that it is, give or take a step, or says that the
    network takes the pixels themselves (std 1). A card of another normalization is left as it is.
    """
    found = _scale_of(proto)
    if found is None:
        return preprocessing
    scale, zero, taken = found
    means, stds = (np.asarray(part, np.float64) for part in (preprocessing.mean, preprocessing.std))
    pixels = np.arange(256.0)[:, None]
    steps = (pixels - means) / stds / scale + zero
    raw = bool(np.all(stds == 1) and (not np.any(means) or np.all(means == taken)))
    if not raw and np.abs(steps - pixels).max() > STEP:
        return preprocessing
    told = preprocessing.std[0]
    std = told if np.allclose(stds, told, rtol=0) and np.isclose(told * scale, 1, rtol=CLOSE) else 1.0 / scale
    mean = float(zero)
    return replace(preprocessing, mean=(mean, mean, mean), std=(std, std, std))


def with_quantized_picture(proto: onnx.ModelProto) -> bool:
    """Let a graph that dequantizes its input take the same numbers as float32, in place.

    They are quantized first, as the graph dequantizes them, where anything else in it is quantized too.

    Returns:
        Whether it dequantized its input.
    """
    if _scale_of(proto) is None:
        return False
    graph = proto.graph
    entry = graph.input[0]
    readers = [node for node in graph.node if entry.name in node.input]
    entry.type.tensor_type.elem_type = TensorProto.FLOAT
    del graph.value_info[:]
    if not any(node.op_type == "QuantizeLinear" for node in graph.node):
        for node in readers:
            node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output, node.name))
        return True
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    name = f"{entry.name}/integers"
    while name in taken:
        name += "_"
    made = helper.make_node("QuantizeLinear", [entry.name, *readers[0].input[1:]], [name], name=name)
    for node in readers:
        node.CopyFrom(helper.make_node(node.op_type, [name, *node.input[1:]], node.output, node.name))
    graph.node.insert(0, made)
    return True


def _scale_of(proto: onnx.ModelProto) -> tuple[float, int, int] | None:
    """Of an input of bytes that is only dequantized: scale, zero point as of pixels, what is off them."""
    if len(proto.graph.input) != 1:
        return None
    entry = proto.graph.input[0]
    taken = BYTES.get(entry.type.tensor_type.elem_type)
    readers = [node for node in proto.graph.node if entry.name in node.input]
    constants = {item.name: item for item in proto.graph.initializer}
    found = {_parameters(node, constants) for node in readers}
    if taken is None or len(found) != 1 or None in found:
        return None
    scale, zero = found.pop() or (0.0, 0)
    return (scale, zero + taken, taken) if np.isfinite(scale) and scale > 0 else None


def _parameters(node: NodeProto, constants: Mapping[str, TensorProto]) -> tuple[float, int] | None:
    if node.op_type != "DequantizeLinear" or len(node.input) != 3:
        return None
    held: list[NDArray[np.generic]] = [
        numpy_helper.to_array(constants[name]) for name in node.input[1:] if name in constants
    ]
    if len(held) != 2 or any(item.size != 1 for item in held):
        return None
    return float(held[0].item()), int(held[1].item())
