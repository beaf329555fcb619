"""The gradient of a convolution's input, with the operators that ONNX Runtime is fast with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto

from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.graph import attributes
from edgenet.graph.pads import conv_pads

__all__ = ["conv_gradient"]

ENDLESS = np.iinfo(np.int64).max


def conv_gradient(emit: Emitter, node: NodeProto, grad: str, index: int) -> str:
    """A matrix product for a pointwise convolution, else a convolution with the kernel turned.

    Args:
        emit: Writes into the graph.
        node: A Conv that reads one image.
        grad: Gradient of its output.
        index: 0; kernels are constants.
    """
    assert index == 0, "kernels are constants"
    shape, kernel = emit.shape(node.input[0]), emit.shape(node.input[1])
    options = attributes(node)
    strides, pads = options.get("strides", [1, 1]), conv_pads(node, shape[2:], kernel[2:])
    group, plain = int(options.get("group", 1)), list(strides) == [1, 1] and not any(pads)
    if plain and group == 1 and kernel[2:] == (1, 1):
        return _product(emit, node.input[1], grad, shape)
    if group == shape[1] == kernel[0] and list(strides) == [1, 1]:
        return _turned(emit, node, grad, shape)
    return _transposed(emit, node, grad, shape)


def _product(emit: Emitter, kernel: str, grad: str, shape: Sequence[int]) -> str:
    places, (rows, columns) = shape[2] * shape[3], emit.shape(kernel)[:2]
    parts = [emit.reshape(kernel, (rows, columns)), emit.reshape(grad, (rows, places))]
    return emit.reshape(emit.node("Gemm", parts, (columns, places), transA=1), shape)


def _turned(emit: Emitter, node: NodeProto, grad: str, shape: Sequence[int]) -> str:
    """A depthwise convolution again: faster than a transposed one."""
    spans, pads, options = _spans(emit, node)
    steps = [emit.constant(item, np.int64) for item in ([-1, -1], [-ENDLESS, -ENDLESS], [2, 3], [-1, -1])]
    kernel = emit.node("Slice", [node.input[1], *steps], emit.shape(node.input[1]))
    options["pads"] = [span - pad for span, pad in zip((*spans, *spans), pads, strict=True)]
    return emit.node("Conv", [grad, kernel], shape, **options)


def _transposed(emit: Emitter, node: NodeProto, grad: str, shape: Sequence[int]) -> str:
    spans, pads, options = _spans(emit, node)
    strides = options.setdefault("strides", [1, 1])
    given = emit.shape(grad)[2:]
    options["pads"] = pads
    options["output_padding"] = [
        shape[2 + axis] - ((given[axis] - 1) * strides[axis] + spans[axis] + 1 - pads[axis] - pads[axis + 2])
        for axis in range(2)
    ]
    return emit.node("ConvTranspose", [grad, node.input[1]], shape, **options)


def _spans(emit: Emitter, node: NodeProto) -> tuple[list[int], list[int], dict[str, Any]]:
    """How far a kernel reaches beyond one pixel, the pads, and the options that stay."""
    options = attributes(node)
    dilations, window = options.get("dilations", [1, 1]), emit.shape(node.input[1])[2:]
    spans = [step * (size - 1) for step, size in zip(dilations, window, strict=True)]
    kept: dict[str, Any] = {key: options[key] for key in ("group", "dilations", "strides") if key in options}
    return spans, conv_pads(node, emit.shape(node.input[0])[2:], window), kept
