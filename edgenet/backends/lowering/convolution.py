"""Conv and Gemm: the operators with weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.backends.lowering.activation import fused
from edgenet.backends.lowering.depthwise import has_no_kernel, in_blocks, lower_in_pieces
from edgenet.backends.lowering.file import Quantization
from edgenet.backends.lowering.rescaling import widened
from edgenet.backends.lowering.scope import ELSEWHERE, Scope
from edgenet.backends.lowering.window import Window, pad_pixels, window_of
from edgenet.graph.graph import attributes

__all__ = ["lower_conv", "lower_gemm"]

OHWI = (0, 2, 3, 1)  # CONV_2D: [outputs, height, width, inputs]
DEPTHWISE_AXIS = 3  # of the outputs in IHWO
HYBRID = 5  # version of CONV_2D with int8 weights by channel and float activations
GROUPED = 6  # version of CONV_2D with groups
IHWO = (1, 2, 3, 0)  # DEPTHWISE_CONV_2D: [1, height, width, outputs], from ONNX [outputs, 1, height, width]


def lower_conv(scope: Scope, node: NodeProto) -> None:
    """Conv → CONV_2D, or DEPTHWISE_CONV_2D where every input channel is a group of its own.

    CONV_2D has groups where its kernel reads a part of the input's channels. A depthwise kernel that XNNPACK
    has no vector code for is such a one or, in float, several of fewer taps.
    """
    kernel = scope.weights(node, 1)
    channels = scope.graph.shape(node.input[0])[1]
    groups = int(attributes(node).get("group", 1))
    if kernel.ndim != 4:
        raise scope.refuse(node, f"its kernel has {kernel.ndim - 2} dimensions", ELSEWHERE)
    depthwise = groups == channels and groups > 1
    window = window_of(scope, node, (kernel.shape[2], kernel.shape[3]))
    taps, made = kernel.shape[2] * kernel.shape[3], scope.graph.shape(node.output[0])
    if depthwise and has_no_kernel(taps, made, len(kernel) // channels):
        if scope.favored.pieces and not scope.is_whole(node) and len(kernel) == channels:
            lower_in_pieces(scope, node, window, *_real(scope, node))
            return
        kernel = _regrouped(scope, node, kernel, channels)
        groups, depthwise = channels // kernel.shape[1], kernel.shape[1] == 1
    source = scope.input(node, node.input[0])
    source = pad_pixels(scope, node, widened(scope, source) if _is_wide(scope, node) else source, window)
    order, axis = (IHWO, DEPTHWISE_AXIS) if depthwise else (OHWI, 0)
    weights = _kernel(scope, node, kernel.transpose(order), axis)
    bias = _bias(scope, node, source, weights)
    name, activation = fused(scope, node)
    options = _options(window, activation)
    inputs, out = (source, weights, bias), scope.output(node, name)
    if depthwise:
        options["depthMultiplier"] = len(kernel) // channels
        version = 1 if window.dilations == (1, 1) else 2
        scope.emit("DEPTHWISE_CONV_2D", inputs, out, ("DepthwiseConv2DOptions", options), version)
    else:
        hybrid = scope.tensor(weights).dtype == "int8" and not scope.is_whole(node)
        version = GROUPED if groups > 1 else HYBRID if hybrid else 1
        scope.emit("CONV_2D", inputs, out, ("Conv2DOptions", options), version)


def lower_gemm(scope: Scope, node: NodeProto) -> None:
    """Gemm with constant weights → FULLY_CONNECTED."""
    options = attributes(node)
    alpha, beta = float(options.get("alpha", 1.0)), float(options.get("beta", 1.0))
    if options.get("transA", 0):
        raise scope.refuse(node, "it transposes its input", ELSEWHERE)
    if scope.is_whole(node):
        raise scope.refuse(
            node,
            "int8 dense layers with a scale per channel need a newer runtime than boards have",
            ELSEWHERE,
        )
    weights = scope.weights(node, 1) * np.float32(alpha)
    weights = weights if options.get("transB", 0) else weights.T
    bias = np.zeros(len(weights), np.float32)
    if len(node.input) > 2:
        bias = np.broadcast_to(scope.weights(node, 2) * np.float32(beta), (1, len(weights))).reshape(-1)
    source = scope.input(node, node.input[0])
    inputs = (
        source,
        scope.real_weights(node, node.input[1], np.ascontiguousarray(weights)),
        scope.constant(f"{node.output[0]}/bias", bias),
    )
    name, activation = fused(scope, node)
    fields = {"fusedActivationFunction": activation}
    scope.emit("FULLY_CONNECTED", inputs, scope.output(node, name), ("FullyConnectedOptions", fields))


def _is_wide(scope: Scope, node: NodeProto) -> bool:
    """Whether what a convolution computes has 16 bits."""
    found = scope.quantization.get(node.output[0])
    return found is not None and found.dtype == "int16"


def _options(window: Window, activation: str) -> dict[str, Any]:
    return {
        **window.options,
        "dilationHFactor": window.dilations[0],
        "dilationWFactor": window.dilations[1],
        "fusedActivationFunction": activation,
    }


def _regrouped(scope: Scope, node: NodeProto, kernel: NDArray[Any], channels: int) -> NDArray[Any]:
    """A depthwise kernel with more channels a group, where the target is faster in that."""
    whole, found = scope.is_whole(node), scope.quantization.get(node.input[1])
    if scope.favored.blocks if whole else scope.favored.pieces and found is None:
        return in_blocks(kernel, channels, found.zero_point if found else 0)
    return kernel


def _kernel(scope: Scope, node: NodeProto, values: NDArray[Any], axis: int) -> int:
    """The kernel in the file's layout; in int8 with one scale a channel, even where all are equal.

    In a file of uint8 it has one scale and a zero point.

    An int8 kernel with a float input is a hybrid: the runtime quantizes each input by its own range. There is
    no fast kernel for that in depthwise convolutions, whose few weights become float again.
    """
    found = scope.quantization.get(node.input[1])
    if not scope.is_whole(node) and (found is None or axis == DEPTHWISE_AXIS):
        real = values if found is None else values * found.scales
        return scope.real_weights(node, node.input[1], np.ascontiguousarray(real, np.float32))
    quantization = _per_channel(scope, node, 1, "int8", values.shape[axis], axis)
    return scope.constant(node.input[1], np.ascontiguousarray(values), quantization)


def _real(scope: Scope, node: NodeProto) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a float convolution; the kernel may be stored in int8."""
    kernel, found = scope.weights(node, 1), scope.quantization.get(node.input[1])
    if found is not None:
        kernel = (kernel.astype(np.float32) - found.zero_point) * found.scales.reshape(-1, 1, 1, 1)
    bias = scope.weights(node, 2).reshape(-1) if len(node.input) > 2 else np.zeros(len(kernel), np.float32)
    return kernel.astype(np.float32), bias.astype(np.float32)


def _bias(scope: Scope, node: NodeProto, source: int, weights: int) -> int:
    """The bias; its int8 scales are input scale x weight scales (TFLite quantization specification)."""
    outputs = len(scope.weights(node, 1))
    values = scope.weights(node, 2).reshape(-1) if len(node.input) > 2 else np.zeros(outputs, np.float32)
    read, kernel = scope.tensor(source).quantization, scope.tensor(weights).quantization
    if read is None or kernel is None:
        return scope.constant(f"{node.output[0]}/bias", values)
    quantization = _per_channel(scope, node, 2, "int32", outputs, 0)
    if not np.allclose(quantization.scales, read.scales * kernel.scales, rtol=1e-5, atol=0):
        raise scope.refuse(
            node,
            "its bias scales are not input scale x weight scales",
            "quantize the float model with edgenet",
        )
    if _is_wide(scope, node):
        values, quantization = values.astype(np.int64), replace(quantization, dtype="int64")
    return scope.constant(f"{node.output[0]}/bias", values, quantization)


def _per_channel(
    scope: Scope, node: NodeProto, position: int, dtype: str, channels: int, axis: int
) -> Quantization:
    found = scope.quantization.get(node.input[position]) if len(node.input) > position else None
    if found is None or found.dtype != dtype or found.axis != 0:
        raise scope.refuse(
            node,
            f"operand {position} is not {dtype}, scaled over its outputs",
            "quantize the float model with edgenet",
        )
    if scope.unsigned and found.scales.size == 1:
        return Quantization(dtype, found.scales, found.zero_point)
    if scope.unsigned:
        own = (
            f"the zero point {found.zero_point}"
            if found.zero_point
            else "none, as others of the network have"
        )
        raise scope.refuse(
            node,
            f"its weights have a scale per channel and {own}: TFLite has no kernels for both",
            ELSEWHERE,
        )
    return Quantization(dtype, np.broadcast_to(found.scales, (channels,)).astype(np.float32), 0, axis)
