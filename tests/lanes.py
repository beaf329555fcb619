"""Rows of weights as ONNX Runtime's kernels for AVX2 read them, written apart from edgenet's own account."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

__all__ = ["packed", "saturable"]

QUAD = 4


def packed(kernel: np.ndarray) -> list[list[int]]:
    """Weights [outputs, inputs, height, width] as rows of quads; each half of a quad shares 16 bits.

    ``ReorderFilter`` of qlinearconv.cc makes height, width, inputs of them, and ``MlasGemmU8S8CopyPackB`` and
    ``MlasConvSymPackW`` take four of these at a time, the last ones with zeros.
    """
    outputs, inputs, height, width = kernel.shape
    rows = []
    for output in range(outputs):
        row = []
        for y in range(height):
            for x in range(width):
                row += [int(kernel[output, channel, y, x]) for channel in range(inputs)]
        rows.append(row + [0] * (-len(row) % QUAD))
    return rows


def saturable(optimized: onnx.ModelProto) -> list[str]:
    """The convolutions of a graph, as ONNX Runtime runs it, in which some activations overflow 16 bits."""
    constants = {item.name: numpy_helper.to_array(item) for item in optimized.graph.initializer}
    found = []
    for node in optimized.graph.node:
        if node.op_type != "QLinearConv" or constants[node.input[3]].dtype != np.int8:
            continue
        kernel = constants[node.input[3]]
        groups = next((item.i for item in node.attribute if item.name == "group"), 1)
        if groups == len(kernel) and kernel.shape[1] == 1:
            continue  # depthwise: added in 32 bits
        rows = np.array(packed(kernel)).reshape(-1, 2) * 255
        highest, lowest = np.maximum(rows, 0).sum(axis=1).max(), np.minimum(rows, 0).sum(axis=1).min()
        if highest > 2**15 - 1 or lowest < -(2**15):
            found.append(node.name)
    return found
