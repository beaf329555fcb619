"""Let a graph that quantizes its float input take camera pixels, so that the same integers come out.

What a user's graph makes of a byte is a table of 256 integers a channel, and it is computed here as it
is there. Where every byte p becomes p + k, with one k, the pixels are those numbers already: the byte is read
with another zero point, and nothing is computed. Else the picture is normalized and divided in float, in the
order of the user's own operations, because the quotient often lies in the very middle between two steps
(mean 127.5 and scale 2/255: for every byte), and only the same divisions round it to the same side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.given.pairs import affine_of, merge_pairs, quantizers_of
from edgenet.graph.given.parameters import Whole, whole_constant, write_constant
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.passes.fold_normalization import PIXELS, float_pixels
from edgenet.graph.qparams import Affine
from edgenet.preprocessing import Preprocessing

__all__ = ["shift_of", "take_pixels"]

TO_NCHW = [0, 3, 1, 2]
BYTES = np.arange(256, dtype=np.float32)


def take_pixels(graph: Graph, preprocessing: Preprocessing) -> int:
    """Replace the float input by ``pixels``, uint8 [1, H, W, 3], RGB, in place.

    The pixels' scale becomes 1 where only int8 convolutions read them; the scales of their kernels take the
    user's scale in, so that every product keeps its own.

    Returns:
        1, for the input.

    Raises:
        UnsupportedError: The input is NHWC or BGR in a way that no pass takes out.
    """
    if graph.shape(graph.input) == (1, *preprocessing.size, 3):
        _drop_transpose(graph, preprocessing)
        merge_pairs(graph)
    entry, readers = graph.input, graph.consumers(graph.input)
    mean, std = (np.asarray(item, np.float32) for item in (preprocessing.mean, preprocessing.std))
    if preprocessing.color == "bgr":
        _swap_channels(graph, readers)
        mean, std = mean[::-1], std[::-1]
    source = float_pixels(graph, readers[0], preprocessing)
    if len(readers) == 1 and readers[0].op_type == "QuantizeLinear":
        _take_quantized(graph, readers[0], source, mean, std)
    else:
        graph.redirect(entry, _normalized(graph, readers[0], source, mean, std))
    return 1


def shift_of(mean: NDArray[np.float32], std: NDArray[np.float32], affine: Affine) -> int | None:
    """The k with which every byte p becomes the integer p + k in every channel; ``None`` without one.

    Args:
        mean: float32 [3].
        std: float32 [3].
        affine: How the normalized input is quantized.
    """
    normal = (BYTES[:, None] - mean) / std
    shifts = np.unique(affine.quantized(normal) - BYTES[:, None])
    return int(shifts[0]) if len(shifts) == 1 else None


def _take_quantized(
    graph: Graph, quantize: NodeProto, source: str, mean: NDArray[np.float32], std: NDArray[np.float32]
) -> None:
    affine, convs = affine_of(graph, quantize), _convolutions(graph, quantize.output[0])
    if affine is None or not convs:
        graph.set_input(quantize, 0, _normalized(graph, quantize, source, mean, std))
        return
    _take_scale(graph, convs, np.float32(affine.scale))
    shift = shift_of(mean, std, affine)
    if shift is not None:
        _read_bytes(graph, quantize, source, affine.zero_point - shift)
        return
    source = _normalized(graph, quantize, source, mean, std)
    source = _elementwise(graph, quantize, "Div", source, np.float32(affine.scale), "pixels/steps")
    graph.set_input(quantize, 0, source)
    one = graph.add_constant("pixels/scale", np.array(1.0, np.float32))
    for node in [quantize, *graph.consumers(quantize.output[0])]:
        graph.set_input(node, 1, one)


def _drop_transpose(graph: Graph, preprocessing: Preprocessing) -> None:
    """Take an NHWC input's Transpose out; a Q/DQ pair before it does the same to NCHW."""
    name, before = graph.input, list[str]()
    while (node := graph.sole_consumer(name)) is not None:
        if node.op_type == "Transpose" and list(attributes(node).get("perm", ())) == TO_NCHW:
            graph.bypass(node)
            for item in before:
                graph.reshape(item, (1, 3, *preprocessing.size))
            return
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            break
        name = node.output[0]
        before.append(name)
    names = ", ".join(f"{item.op_type} {item.name!r}" for item in graph.consumers(name))
    raise UnsupportedError(f"the input is NHWC and read by {names}", "export the model with an NCHW input")


def _swap_channels(graph: Graph, readers: list[NodeProto]) -> None:
    """Let the network take RGB: the kernels that read its input, directly or quantized, are turned around."""
    if len(readers) == 1 and readers[0].op_type == "QuantizeLinear":
        readers = [
            node for real in graph.consumers(readers[0].output[0]) for node in graph.consumers(real.output[0])
        ]
    for node in readers:
        whole = whole_constant(graph, node.input[1]) if node.op_type == "Conv" else None
        plain = graph.constant(node.input[1]) if node.op_type == "Conv" else None
        if attributes(node).get("group", 1) != 1 or (whole is None and plain is None):
            raise UnsupportedError(
                f"{node.op_type} {node.name!r} is the first layer and the network wants BGR",
                "begin the network with a convolution, or train it on RGB",
            )
        if plain is not None:
            graph.set_input(node, 1, graph.add_constant(f"{node.input[1]}/rgb", plain[:, ::-1]))
        elif whole is not None:
            own = Whole(np.ascontiguousarray(whole.values[:, ::-1]), whole.scales, whole.zeros, whole.axis)
            _own_kernel(graph, node, own)


def _convolutions(graph: Graph, name: str) -> list[NodeProto]:
    """The convolutions with whole kernels that read a quantized tensor, if nothing else does."""
    reals = graph.consumers(name)
    readers = [node for real in reals for node in graph.consumers(real.output[0])]
    fits = all(
        node.op_type == "Conv" and whole_constant(graph, node.input[1]) is not None for node in readers
    )
    outputs = any(graph.is_output(real.output[0]) for real in reals)
    return readers if fits and not outputs and not quantizers_of(graph, name) else []


def _take_scale(graph: Graph, convs: list[NodeProto], scale: np.float32) -> None:
    for conv in convs:
        whole = whole_constant(graph, conv.input[1])
        if whole is not None:
            scaled = np.asarray(whole.scales * scale, np.float32)
            _own_kernel(graph, conv, Whole(whole.values, scaled, whole.zeros, whole.axis))


def _own_kernel(graph: Graph, conv: NodeProto, whole: Whole) -> None:
    """A kernel that this convolution alone reads."""
    name = graph.fresh(f"{conv.input[1]}/of_pixels")
    graph.insert(conv, helper.make_node("DequantizeLinear", [conv.input[1]], [name], name=name))
    node = graph.producer(name)
    if node is not None:
        write_constant(graph, node, whole)
    graph.set_input(conv, 1, name)


def _read_bytes(graph: Graph, quantize: NodeProto, source: str, zero_point: int) -> None:
    """pixels → DequantizeLinear in place of pixels → Cast → … → QuantizeLinear → DequantizeLinear."""
    cast = graph.producer(source)
    if cast is None:
        raise ValueError(f"{PIXELS!r} is not cast to float")
    scale = graph.add_constant("pixels/scale", np.array(1.0, np.float32))
    zero = graph.add_constant("pixels/zero_point", np.array(zero_point, np.uint8))
    for real in graph.consumers(quantize.output[0]):
        graph.remove(real)
        graph.redirect(real.output[0], source)
    graph.remove(quantize)
    node = helper.make_node("DequantizeLinear", [cast.input[0], scale, zero], [source], name=source)
    graph.insert(cast, node, graph.shape(source))
    graph.remove(cast)


def _normalized(
    graph: Graph, first: NodeProto, source: str, mean: NDArray[np.float32], std: NDArray[np.float32]
) -> str:
    """(pixels - mean) / std in float32, as the user's own preprocessing computes it."""
    if np.any(mean):
        source = _elementwise(graph, first, "Sub", source, mean, "pixels/centered")
    if np.any(std != 1):
        source = _elementwise(graph, first, "Div", source, std, "pixels/scaled")
    return source


def _elementwise(
    graph: Graph,
    first: NodeProto,
    kind: str,
    source: str,
    values: NDArray[np.float32] | np.float32,
    name: str,
) -> str:
    by = np.broadcast_to(np.asarray(values, np.float32), (3,)).reshape(1, 3, 1, 1)
    constant = graph.add_constant(f"{name}/by", np.ascontiguousarray(by))
    node = helper.make_node(kind, [source, constant], [name], name=name)
    return str(graph.insert(first, node, graph.shape(source)).output[0])
