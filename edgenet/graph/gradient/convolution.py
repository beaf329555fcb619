"""The gradient of a convolution's input, with the operators that ONNX Runtime is fast with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto

from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.graph import attributes
from edgenet.graph.pads import conv_pads
from edgenet.graph.passes.equalize import depthwise

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
    pads = conv_pads(node, shape[2:], kernel[2:])
    even = list(options.get("strides", [1, 1])) == [1, 1]
    if kernel[2:] == (1, 1) and even and not any(pads) and options.get("group", 1) == 1:
        return _product(emit, node.input[1], grad, shape)
    dilations = options.get("dilations", [1, 1])
    spans = [step * (size - 1) for step, size in zip(dilations, kernel[2:], strict=True)]
    kept: dict[str, Any] = {key: options[key] for key in ("group", "dilations", "strides") if key in options}
    write = _turned if even and depthwise(emit.graph, node) else _transposed
    return write(emit, node.input[1], grad, shape, spans, pads, kept)


def _product(emit: Emitter, kernel: str, grad: str, shape: Sequence[int]) -> str:
    places, (rows, columns) = shape[2] * shape[3], emit.shape(kernel)[:2]
    parts = [emit.reshape(kernel, (rows, columns)), emit.reshape(grad, (rows, places))]
    return emit.reshape(emit.node("Gemm", parts, (columns, places), transA=1), shape)


def _turned(
    emit: Emitter,
    kernel: str,
    grad: str,
    shape: Sequence[int],
    spans: Sequence[int],
    pads: Sequence[int],
    options: Mapping[str, Any],
) -> str:
    """A depthwise convolution again: faster than a transposed one."""
    steps = [emit.constant(item, np.int64) for item in ([-1, -1], [-ENDLESS, -ENDLESS], [2, 3], [-1, -1])]
    turned = emit.node("Slice", [kernel, *steps], emit.shape(kernel))
    rest = [span - pad for span, pad in zip((*spans, *spans), pads, strict=True)]
    return emit.node("Conv", [grad, turned], shape, **{**options, "pads": rest})


def _transposed(
    emit: Emitter,
    kernel: str,
    grad: str,
    shape: Sequence[int],
    spans: Sequence[int],
    pads: Sequence[int],
    options: Mapping[str, Any],
) -> str:
    strides, given = options.get("strides", [1, 1]), emit.shape(grad)[2:]
    missing = [
        shape[2 + axis] - ((given[axis] - 1) * strides[axis] + spans[axis] + 1 - pads[axis] - pads[axis + 2])
        for axis in range(2)
    ]
    own = {**options, "pads": pads, "output_padding": missing}
    return emit.node("ConvTranspose", [grad, kernel], shape, **own)
