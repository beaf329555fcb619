"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: the operators with weights."""

from __future__ import annotations

import math

import numpy as np

from edgenet.importers.tflite_file.layout import keeps_order
from edgenet.importers.tflite_file.network import Affine, Operator
from edgenet.importers.tflite_file.operators.window import window_of
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["write_conv", "write_dense", "write_depthwise"]

OIHW = (0, 3, 1, 2)  # from CONV_2D's [outputs, height, width, inputs]
FROM_DEPTHWISE = (3, 0, 1, 2)  # from [1, height, width, outputs]
CLOSE = 1e-3


def write_conv(scope: Scope, op: Operator) -> None:
    """CONV_2D → Conv, in groups where the kernel reads a part of the channels."""
    shape = scope.shape(op.inputs[0])
    kernel = _kernel_shape(scope, op)
    if len(shape) != 4 or len(kernel) != 4 or not kernel[3] or shape[3] % kernel[3]:
        raise scope.damaged(op, f"a kernel {list(kernel)} on {list(shape)}")
    groups = shape[3] // kernel[3]
    if kernel[0] % groups:
        raise scope.damaged(op, f"{groups} groups of {kernel[0]} outputs")
    _convolve(scope, op, kernel[1:3], OIHW, 0, groups, kernel[0])


def write_depthwise(scope: Scope, op: Operator) -> None:
    """DEPTHWISE_CONV_2D → Conv with a group for each channel."""
    shape = scope.shape(op.inputs[0])
    kernel = _kernel_shape(scope, op)
    if len(shape) != 4 or len(kernel) != 4 or kernel[0] != 1 or kernel[3] % shape[3]:
        raise scope.damaged(op, f"a kernel {list(kernel)} on {list(shape)}")
    _convolve(scope, op, kernel[1:3], FROM_DEPTHWISE, 3, shape[3], kernel[3])


def write_dense(scope: Scope, op: Operator) -> None:
    """FULLY_CONNECTED → Gemm; Conv where it reads a picture, whole or pixel by pixel."""
    if op.options.get("WeightsFormat", 0):
        raise scope.refuse(op, "its weights are shuffled for one processor", ELSEWHERE)
    kernel, shape = _kernel_shape(scope, op), scope.shape(op.inputs[0])
    if len(kernel) != 2 or not kernel[1] or math.prod(shape) % kernel[1]:
        raise scope.damaged(op, f"weights {list(kernel)} on {list(shape)}")
    name, rows = scope.result(op), math.prod(shape) // kernel[1]
    keeps = bool(op.options.get("KeepNumDims", False)) and len(shape) > 1 and shape[-1] == kernel[1]
    made = (*shape[:-1], kernel[0]) if keeps else (rows, kernel[0])
    picture = scope.flattened.get(op.inputs[0])
    if keeps and len(shape) == 4:
        source = scope.real(op.inputs[0])
        result = scope.emit("Conv", [source, *_dense_parts(scope, op, (1, 1))], name, kernel_shape=[1, 1])
    elif picture is not None and rows == 1 and not keeps_order(scope.shape(picture)):
        height, width = scope.shape(picture)[1:3]
        parts = _dense_parts(scope, op, (height, width))
        scores = scope.emit("Conv", [scope.real(picture), *parts], name, kernel_shape=[height, width])
        result = scope.reshaped(scores, (1, 1, 1, kernel[0]), made, f"{name}/flat")
    else:
        source = scope.reshaped(scope.real(op.inputs[0]), shape, (rows, kernel[1]), f"{name}/rows")
        result = scope.emit("Gemm", [source, *_dense_parts(scope, op, ())], name, transB=1)
        result = scope.reshaped(result, (rows, kernel[0]), made, f"{name}/shape")
    scope.finish(op, result, made)


def _convolve(
    scope: Scope,
    op: Operator,
    kernel: tuple[int, ...],
    order: tuple[int, ...],
    axis: int,
    groups: int,
    outputs: int,
) -> None:
    """Write a Conv; zeros around its picture become its own."""
    read, around = scope.padded.get(op.inputs[0], (op.inputs[0], (0, 0, 0, 0)))
    shape = scope.shape(op.inputs[0])
    window = window_of(scope, op, shape, (kernel[0], kernel[1]))
    whole = _is_whole(scope, op)
    weights = _weights(scope, op, order, axis, whole)
    attributes = window.attributes
    attributes["pads"] = [a + b for a, b in zip(window.pads, around, strict=True)]
    inputs = [scope.real(read), weights, *_bias(scope, op, outputs, whole)]
    dilations = list(window.dilations)
    result = scope.emit("Conv", inputs, scope.result(op), group=groups, dilations=dilations, **attributes)
    scope.finish(op, result, (shape[0], *window.made, outputs))


def _kernel_shape(scope: Scope, op: Operator) -> tuple[int, ...]:
    return tuple(scope.number(op, 1).shape)


def _is_whole(scope: Scope, op: Operator) -> bool:
    """Whether the layer computes with bytes: its picture and its weights are such."""
    return scope.whole(op.inputs[0]) is not None and scope.whole(op.inputs[1]) is not None


def _weights(scope: Scope, op: Operator, order: tuple[int, ...], axis: int, whole: bool) -> str:
    index = op.inputs[1]
    _check_axis(scope, op, axis)
    values = scope.values[index] if whole else scope.floats(index)
    return scope.weights(index, values.transpose(order), 0, whole)


def _dense_parts(scope: Scope, op: Operator, window: tuple[int, ...]) -> list[str]:
    """Weights, as a kernel over a window where there is one, and the bias."""
    index, whole = op.inputs[1], _is_whole(scope, op)
    _check_axis(scope, op, 0)
    values = scope.values[index] if whole else scope.floats(index)
    if window:
        values = values.reshape(len(values), *window, -1).transpose(OIHW)
    return [scope.weights(index, values, 0, whole), *_bias(scope, op, len(values), whole)]


def _check_axis(scope: Scope, op: Operator, axis: int) -> None:
    affine = scope.tensor(op.inputs[1]).affine
    if affine is not None and len(affine.scales) > 1 and affine.axis != axis:
        raise scope.refuse(op, f"its scales stand along axis {affine.axis} of its weights", ELSEWHERE)


def _bias(scope: Scope, op: Operator, outputs: int, whole: bool) -> list[str]:
    """The bias, int32 on the scale of the products where the layer computes with bytes."""
    if len(op.inputs) < 3 or op.inputs[2] < 0:
        return []
    index, values = op.inputs[2], scope.number(op, 2)
    name = scope.tensor(index).name
    if values.size != outputs:
        raise scope.damaged(op, f"{values.size} biases for {outputs} outputs")
    read, kernel = scope.whole(op.inputs[0]), scope.whole(op.inputs[1])
    if whole and read is not None and kernel is not None:
        if values.dtype != np.int32:
            raise scope.refuse(op, f"its bias is {values.dtype}", ELSEWHERE)
        scales = _products(scope, op, read, kernel)
        zeros = np.zeros(len(scales), np.int64)
        return [scope.dequantized(name, values.reshape(-1), scales, zeros, 0)]
    return [scope.constant(f"{name}/bias", scope.floats(index).reshape(-1))]


def _products(
    scope: Scope, op: Operator, read: Affine, kernel: Affine
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Input scale times weight scales, on which the kernels add a bias whatever its own says."""
    scales = np.asarray(read.scales * kernel.scales, np.float32)
    told = scope.tensor(op.inputs[2]).affine
    if (
        told is not None
        and len(told.scales) == len(scales)
        and not np.allclose(told.scales, scales, rtol=CLOSE, atol=0)
    ):
        raise scope.damaged(op, "its bias has another scale than input times weights")
    return scales
