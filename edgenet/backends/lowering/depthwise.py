"""Depthwise kernels that XNNPACK has no vector code for, written as something that it has.

It computes one as a matrix product of one channel a group (create_dwconv_path and create_gemm_or_igemm of
src/operators/convolution-nhwc.c) where it has more than 25 taps or a depth multiplier, and has room for eight
or more channels in each. A group of eight, most of its kernel zeros, gives the same sums for an eighth of the
work. In float a sum of smaller depthwise convolutions is less work still; in int8 each would be rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.backends.lowering.activation import fused
from edgenet.backends.lowering.file import Tensor
from edgenet.backends.lowering.pieces import LARGEST, Axis, Piece, divide
from edgenet.backends.lowering.scope import Favored, Scope
from edgenet.backends.lowering.window import Window
from edgenet.graph.graph import Graph, attributes

__all__ = ["has_no_kernel", "in_blocks", "left_large", "lower_in_pieces"]

# Channels that a step of a matrix product has room for: read in int8, made in int8, made in float.
READ, MADE, MADE_IN_FLOAT = 8, 8, 16
LARGEST_BLOCK = 16


def has_no_kernel(taps: int, made: Sequence[int], multiplier: int) -> bool:
    """Whether XNNPACK has no vector code for a depthwise convolution that makes [1, channels, height, width].

    At a single place of the picture, as in a global one, it is the same work however it is written.
    """
    return (taps > LARGEST or multiplier > 1) and made[2] * made[3] > 1


def left_large(graph: Graph, favored: Favored, whole: bool) -> list[str]:
    """Names of depthwise convolutions of more than 25 taps that are written as they are.

    Args:
        graph: A prepared graph, of four dimensions.
        favored: Which writings are faster on the target.
        whole: Whether they compute in int8.
    """
    found = []
    for node in (item for item in graph.nodes if item.op_type == "Conv"):
        channels, kernel = graph.shape(node.input[0])[1], _shape(graph, node.input[1])
        depthwise = 1 < attributes(node).get("group", 1) == channels == kernel[0]
        if depthwise and has_no_kernel(math.prod(kernel[2:]), graph.shape(node.output[0]), 1):
            written = favored.blocks and _block(channels, 1, False) > 1 if whole else favored.pieces
            found += [] if written else [node.name or node.output[0]]
    return found


def _shape(graph: Graph, name: str) -> tuple[int, ...]:
    value = graph.constant(name)
    return graph.shape(name) if value is None else value.shape


def in_blocks(kernel: NDArray[Any], channels: int, zero: int = 0) -> NDArray[Any]:
    """A depthwise kernel as that of a convolution with several channels a group, which gives the same.

    Args:
        kernel: [outputs, 1, height, width].
        channels: How many it reads.
        zero: The number that means 0.

    Returns:
        [outputs, channels of a group, height, width]; one channel where no other number divides them.
    """
    multiplier, outputs = len(kernel) // channels, np.arange(len(kernel))
    block = _block(channels, multiplier, kernel.dtype == np.float32)
    made = np.full((len(kernel), block, *kernel.shape[2:]), zero, kernel.dtype)
    made[outputs, outputs // multiplier % block] = kernel[:, 0]
    return made


def _block(channels: int, multiplier: int, real: bool) -> int:
    """The divisor of so many channels whose groups are the least work for each; the largest of several."""
    read, made = (1, MADE_IN_FLOAT) if real else (READ, MADE)

    def work(size: int) -> tuple[float, int]:
        return -(-size // read) * read * -(-size * multiplier // made) * made / size, -size

    divisors = [size for size in range(1, min(LARGEST_BLOCK, channels) + 1) if channels % size == 0]
    return min(divisors, key=work)


def lower_in_pieces(
    scope: Scope, node: NodeProto, window: Window, kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> None:
    """A float depthwise Conv → DEPTHWISE_CONV_2D of at most 25 taps each, and ADD.

    Args:
        scope: The graph and the file.
        node: The Conv.
        window: Its geometry.
        kernel: [channels, 1, height, width].
        bias: [channels].
    """
    source = scope.input(node, node.input[0])
    name, activation = fused(scope, node)
    out = scope.output(node, name)
    shape, total = scope.tensor(out).shape, None
    pieces = _pieces(window, scope.tensor(source).shape, shape)
    for number, piece in enumerate(pieces):
        part = scope.file.add(Tensor(f"{name}/piece{number}", shape, "float32"))
        rows, columns = piece.rows, piece.columns
        taps = kernel[:, 0, rows.first :: rows.step, columns.first :: columns.step]
        _emit(scope, node, window, piece, (source, part), taps, bias if total is None else bias * 0)
        if total is None:
            total = part
            continue
        last = number == len(pieces) - 1
        summed = out if last else scope.file.add(Tensor(f"{name}/sum{number}", shape, "float32"))
        options = ("AddOptions", {"fusedActivationFunction": activation if last else "NONE"})
        scope.emit("ADD", (total, part), summed, options)
        total = summed


def _pieces(window: Window, read: Sequence[int], made: Sequence[int]) -> tuple[Piece, ...]:
    """The pieces of a window over NHWC tensors."""
    height, width = (
        Axis(
            *(read[1 + axis], made[1 + axis], window.kernel[axis]),
            *(window.strides[axis], window.dilations[axis], window.before[axis]),
        )
        for axis in (0, 1)
    )
    return divide(height, width)


def _emit(
    scope: Scope,
    node: NodeProto,
    window: Window,
    piece: Piece,
    tensors: tuple[int, int],
    taps: NDArray[np.float32],
    bias: NDArray[np.float32],
) -> None:
    """One piece; ``tensors`` are what the whole convolution reads, and what this piece makes of it."""
    source, out = tensors
    label = scope.tensor(out).name
    kernel = np.ascontiguousarray(taps.transpose(1, 2, 0)[None])
    inputs = (
        source if piece.padding else _pixels(scope, source, piece, label),
        scope.real_weights(node, f"{label}/kernel", kernel),
        scope.constant(f"{label}/bias", bias),
    )
    dilations = piece.rows.dilation, piece.columns.dilation
    options = {
        "padding": piece.padding or "VALID",
        "strideH": window.strides[0],
        "strideW": window.strides[1],
        "dilationHFactor": dilations[0],
        "dilationWFactor": dilations[1],
        "depthMultiplier": 1,
        "fusedActivationFunction": "NONE",
    }
    version = 1 if dilations == (1, 1) else 2
    scope.emit("DEPTHWISE_CONV_2D", inputs, out, ("DepthwiseConv2DOptions", options), version)


def _pixels(scope: Scope, source: int, piece: Piece, label: str) -> int:
    """What a piece reads where no rule of TFLite says it: the source without what is left out, padded."""
    none = (0, 0)
    sides = np.array(
        [none, *((part.before, part.after) for part in (piece.rows, piece.columns)), none], np.int32
    )
    cut, pads, read = np.minimum(sides, 0), np.maximum(sides, 0), source
    if cut.any():
        shape = np.array(scope.tensor(read).shape, np.int32) + cut.sum(1)
        whole, read = read, scope.like(source, f"{label}/cropped", shape.tolist())
        parts = (
            scope.constant(f"{label}/begin", -cut[:, 0]),
            scope.constant(f"{label}/size", shape.astype(np.int32)),
        )
        scope.emit("SLICE", (whole, *parts), read, ("SliceOptions", {}))
    if pads.any():
        shape = np.array(scope.tensor(read).shape, np.int32) + pads.sum(1)
        whole, read = read, scope.like(source, f"{label}/padded", shape.tolist())
        scope.emit("PAD", (whole, scope.constant(f"{label}/pads", pads)), read, ("PadOptions", {}))
    return read
