"""Look into an int8 graph while ONNX Runtime runs it: every int8 activation of one run."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.graph.evaluate import Evaluator

__all__ = ["onnx_layers"]

SHIFT = 128  # uint8 = int8 + 128


def onnx_layers(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.int8]]:
    """The int8 activations by the names of the float tensors they are made from, NHWC.

    Args:
        data: A serialized graph in one of the forms of :mod:`edgenet.graph.dialect`.
        pixels: uint8 [1, H, W, 3].
    """
    proto = onnx.load_model_from_string(data)
    steps = [node for node in proto.graph.node if node.op_type == "QuantizeLinear"]
    names = {node.output[0]: node.input[0] for node in steps}
    answers = Evaluator(proto, list(names)).run(pixels)
    return {names[name]: _nhwc(values) for name, values in answers.items()}


def _nhwc(values: NDArray[np.uint8] | NDArray[np.int8]) -> NDArray[np.int8]:
    signed = values.astype(np.int16) - (SHIFT if values.dtype == np.uint8 else 0)
    moved = signed.transpose(0, 2, 3, 1) if values.ndim == 4 else signed
    return np.ascontiguousarray(moved, np.int8)
