"""Let the network take camera pixels: mean, std and channel order move into the first layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.passes.affine import pads
from edgenet.preprocessing import Preprocessing

__all__ = ["PIXELS", "float_pixels", "fold_normalization"]

PIXELS = "pixels"


def fold_normalization(graph: Graph, preprocessing: Preprocessing) -> int:
    """Replace the float input by ``pixels``, uint8 [1, H, W, 3], RGB, in place.

    The graph then begins ``pixels → Transpose → Cast → Add(-mean) → Conv``: 1/std and the channel order are
    in the kernels of all convolutions that read the pixels. The mean stays one Add where one of them pads,
    because a padded zero means "mean color", not "black"; without padding it goes into the biases and the Add
    disappears. Where anything else reads the pixels too, 1/std stays a Mul; if the network wants BGR, all of
    it becomes a convolution of 1x1. Either way the result is the same up to float rounding, borders included.

    Returns:
        1, for the input.
    """
    readers, entry = _entry(graph, preprocessing)
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    other = next((node for node in readers if not _folds(graph, node, entry)), None)
    source = float_pixels(graph, readers[0], preprocessing)
    if other is None:
        into_bias = not any(pads(conv) for conv in readers)
        for conv in readers:
            _fold(graph, conv, preprocessing, into_bias)
        if preprocessing.color == "bgr":
            mean = mean[::-1]
        mean, std = np.zeros(3) if into_bias else mean, np.ones(3)
    elif preprocessing.color == "bgr":
        source = _mixed(graph, readers[0], source, preprocessing)
        mean, std = np.zeros(3), np.ones(3)
    source = _affine(graph, readers[0], source, "Add", -mean, preprocessing)
    source = _affine(graph, readers[0], source, "Mul", 1.0 / std, preprocessing)
    graph.redirect(entry, source)
    return 1


def _folds(graph: Graph, node: NodeProto, entry: str) -> bool:
    """Whether a reader of the input can take the normalization into its kernel."""
    constant = all(name in graph.constants for name in node.input[1:])
    plain = node.op_type == "Conv" and attributes(node).get("group", 1) == 1
    return plain and node.input[0] == entry and constant


def _fold(graph: Graph, conv: NodeProto, preprocessing: Preprocessing, into_bias: bool) -> None:
    """Let a convolution read pixels: 1/std, color order in the kernel, perhaps the mean in the bias."""
    kernel, bias = (graph.constants[name].astype(np.float64) for name in conv.input[1:3])
    kernel = kernel / np.asarray(preprocessing.std)[None, :, None, None]
    if into_bias:
        bias = bias - np.einsum("oihw,i->o", kernel, np.asarray(preprocessing.mean))
    if preprocessing.color == "bgr":
        kernel = kernel[:, ::-1]
    name = conv.name or "first"
    for index, (part, values) in enumerate({"kernel": kernel, "bias": bias}.items(), 1):
        own = graph.add_constant(f"{name}/{part}_of_pixels", values.astype(np.float32))
        graph.set_input(conv, index, own)


def _entry(graph: Graph, preprocessing: Preprocessing) -> tuple[list[NodeProto], str]:
    """The first real nodes and the NCHW tensor that they read; a leading NHWC Transpose is dropped."""
    readers = graph.consumers(graph.input)
    nhwc = graph.shape(graph.input) == (1, *preprocessing.size, 3)
    if nhwc:
        if len(readers) != 1 or readers[0].op_type != "Transpose":
            raise ValueError("the input is NHWC and not turned at once: to_nchw was not run")
        entry = readers[0].output[0]
        graph.remove(readers[0])
        return graph.consumers(entry), entry
    return readers, graph.input


def float_pixels(graph: Graph, first: NodeProto, preprocessing: Preprocessing) -> str:
    """Make ``pixels`` the input and return its NCHW float form."""
    height, width = preprocessing.size
    pixels = helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, [1, height, width, 3])
    graph.replace_graph_input(graph.input, pixels)
    shape = (1, 3, height, width)
    name = "pixels/planes"
    planes = helper.make_node("Transpose", [PIXELS], [name], name=name, perm=[0, 3, 1, 2])
    graph.insert(first, planes, shape)
    cast = helper.make_node("Cast", [name], ["pixels/float"], name="pixels/float", to=TensorProto.FLOAT)
    return str(graph.insert(first, cast, shape).output[0])


def _mixed(graph: Graph, first: NodeProto, source: str, preprocessing: Preprocessing) -> str:
    """Normalized pixels in the other order of channels: a convolution of 1x1."""
    mean, std = np.asarray(preprocessing.mean), np.asarray(preprocessing.std)
    kernel = (np.eye(3)[::-1] / std[:, None])[:, :, None, None]
    parts = {"kernel": kernel, "bias": -mean / std}
    name = "pixels/bgr"
    held = [graph.add_constant(f"{name}/{part}", value.astype(np.float32)) for part, value in parts.items()]
    conv = helper.make_node("Conv", [source, *held], [name], name=name, kernel_shape=[1, 1])
    return str(graph.insert(first, conv, (1, 3, *preprocessing.size)).output[0])


def _affine(
    graph: Graph,
    first: NodeProto,
    source: str,
    kind: str,
    values: NDArray[np.float64],
    preprocessing: Preprocessing,
) -> str:
    if np.all(values == (0.0 if kind == "Add" else 1.0)):
        return source
    name = {"Add": "pixels/centered", "Mul": "pixels/scaled"}[kind]
    constant = graph.add_constant(f"{name}/by", values.astype(np.float32).reshape(1, 3, 1, 1))
    node = helper.make_node(kind, [source, constant], [name], name=name)
    return str(graph.insert(first, node, (1, 3, *preprocessing.size)).output[0])
