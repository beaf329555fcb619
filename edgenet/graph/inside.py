"""What stands inside a network at its two ends: normalization of its input, and what its answers are."""

from __future__ import annotations

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.graph.graph import Graph
from edgenet.graph.names import free_names
from edgenet.graph.passes.affine import name_affines
from edgenet.graph.passes.ending import strip_normalization
from edgenet.graph.passes.fold_batchnorm import fold_batchnorm
from edgenet.graph.passes.fold_constants import fold_constants
from edgenet.graph.passes.reshapes import merge_reshapes
from edgenet.graph.passes.simplify import simplify
from edgenet.graph.passes.take_normalization import take_normalization
from edgenet.graph.passes.to_nchw import to_nchw
from edgenet.model import Model
from edgenet.original.ending import last_operator
from edgenet.preprocessing import Preprocessing

__all__ = ["ending_inside", "input_range", "normalization_inside"]

PASSED = ("Cast", "Identity", "Transpose")


def normalization_inside(model: Model) -> Preprocessing:
    """How the layers behind a network's own normalization are fed, its card's included.

    The passes of :func:`edgenet.graph.passes.prepare.prepare`, as far as they concern the input.

    Args:
        model: A float model whose card feeds pixels as they are.
    """
    graph = Graph(free_names(model.proto))
    fold_constants(graph)
    to_nchw(graph)
    merge_reshapes(graph)
    simplify(graph)
    fold_batchnorm(graph)
    name_affines(graph)
    return take_normalization(graph, model.preprocessing)


def ending_inside(proto: onnx.ModelProto) -> str:
    """The ONNX operator a graph ends in, "LpNormalization" for any way to write that; "" without one."""
    node = last_operator(proto)
    if node is None:
        return ""
    try:
        graph = Graph(free_names(proto))
        fold_constants(graph)
        if strip_normalization(graph):
            return "LpNormalization"
    except (ModelError, ValueError):
        pass  # a graph that no pass reads still ends in its last operator
    return str(node.op_type.removeprefix("QLinear"))


def input_range(proto: onnx.ModelProto) -> tuple[float, float] | None:
    """The least and the largest real number that a quantized input holds; ``None`` of a float one."""
    graph = Graph(proto)
    node = graph.sole_consumer(graph.input)
    while node is not None and node.op_type in PASSED:
        node = graph.sole_consumer(node.output[0])
    if node is None or node.op_type != "QuantizeLinear":
        return None
    held = [graph.constant(name) for name in node.input[1:3]]
    if len(held) < 2 or any(value is None or value.size != 1 for value in held):
        return None
    scale, zero = (np.asarray(value).reshape(()) for value in held)
    if zero.dtype not in (np.int8, np.uint8):
        return None
    limits = np.iinfo(zero.dtype)
    low, high = ((end - int(zero)) * float(scale) for end in (limits.min, limits.max))
    return low, high
