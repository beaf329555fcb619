"""Depthwise kernels of more taps than XNNPACK has vector code for, written as something that it has.

A kernel of more than 25 taps is a matrix product of one channel a group to XNNPACK (create_dwconv_path and
create_gemm_or_igemm of src/operators/convolution-nhwc.c), which has room for eight or more in each. In
integers a group of eight channels, most of its kernel zeros, gives the same sums for an eighth of the work.
In float a sum of smaller depthwise convolutions is less work still; in int8 each of them would be rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.backends.lowering.activation import fused
from edgenet.backends.lowering.file import Tensor
from edgenet.backends.lowering.pieces import LARGEST, Axis, Piece, divide
from edgenet.backends.lowering.scope import Scope
from edgenet.backends.lowering.window import Window

__all__ = ["in_blocks", "is_large", "lower_in_pieces"]

LANES = 8  # channels read and made that a step of an int8 matrix product has room for, on most CPUs
LARGEST_BLOCK = 16


def is_large(window: Window, made: Sequence[int]) -> bool:
    """Whether a depthwise convolution that makes [1, channels, height, width] has too many taps.

    At a single place of the picture, as in a global one, it is the same work either way.
    """
    return window.kernel[0] * window.kernel[1] > LARGEST and made[2] * made[3] > 1


def in_blocks(kernel: NDArray[np.int8], zero: int = 0) -> NDArray[np.int8]:
    """An integer depthwise kernel as that of a convolution with several channels a group; it gives the same.

    Args:
        kernel: [channels, 1, height, width].
        zero: The integer that means 0.

    Returns:
        [channels, size of a group, height, width]; the size is 1 where no other divides the channels.
    """
    channels, block = np.arange(len(kernel)), _block(len(kernel))
    made = np.full((len(kernel), block, *kernel.shape[2:]), zero, kernel.dtype)
    made[channels, channels % block] = kernel[:, 0]
    return made


def _block(channels: int) -> int:
    """The divisor of so many channels that makes the groups of the least work."""
    divisors = [size for size in range(1, min(LARGEST_BLOCK, channels) + 1) if channels % size == 0]
    return min(divisors, key=lambda size: (-(-size // LANES) * LANES) ** 2 / size)


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
