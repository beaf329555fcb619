"""Dense layers of a user's Q/DQ graph as 1x1 convolutions, their whole weights as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.given.pairs import affine_of, insert_pair
from edgenet.graph.given.parameters import Whole, real_values, whole_constant, write_constant
from edgenet.graph.graph import Graph, attributes

__all__ = ["given_dense_to_conv"]

RESHAPES = ("Flatten", "Reshape", "Squeeze")


def given_dense_to_conv(graph: Graph) -> int:
    """Rewrite Gemm, MatMul (and the Add behind it) on [1, inputs] as Conv 1x1 → Flatten, in place.

    Returns:
        How many dense layers were rewritten; one without whole weights of its own, or that scales or
        transposes its input, stays.
    """
    rewritten = 0
    for dense in [node for node in graph.nodes if node.op_type in ("Gemm", "MatMul")]:
        weights = _weights(graph, dense)
        if weights is None or graph.shape(dense.input[0]) != (1, weights.values.shape[1]):
            continue
        _rewrite(graph, dense, weights)
        rewritten += 1
    return rewritten


def _weights(graph: Graph, dense: NodeProto) -> Whole | None:
    """int8 [outputs, inputs] of a plain dense layer."""
    options = attributes(dense)
    plain = not options.get("transA", 0) and options.get("alpha", 1.0) == options.get("beta", 1.0) == 1.0
    whole = whole_constant(graph, dense.input[1])
    if not plain or whole is None or whole.values.ndim != 2:
        return None
    return whole if options.get("transB", 0) else whole.transposed([1, 0])


def _rewrite(graph: Graph, dense: NodeProto, weights: Whole) -> None:
    source, outputs = _source(graph, dense), len(weights.values)
    bias, add = _bias(graph, dense, outputs)
    last, name = add or dense, dense.name or dense.output[0]
    real = graph.fresh(f"{name}/kernel")
    kernel = helper.make_node("DequantizeLinear", list(dense.input[1:2]), [real], name=real)
    graph.insert(dense, kernel)
    square = weights.values[:, :, None, None]
    write_constant(graph, kernel, Whole(square, weights.scales, weights.zeros, weights.axis))
    scores, result = graph.fresh(f"{name}/scores"), last.output[0]
    inputs = [source, real, *([bias] if bias else [])]
    conv = helper.make_node("Conv", inputs, [scores], name=name, kernel_shape=[1, 1])
    graph.insert(last, conv, (1, outputs, 1, 1))
    flatten = helper.make_node("Flatten", [scores], [result], name=f"{name}/flatten", axis=1)
    graph.insert(last, flatten, (1, outputs))
    for node in (dense, add):
        if node is not None:
            graph.remove(node)


def _source(graph: Graph, dense: NodeProto) -> str:
    """The tensor [1, inputs, 1, 1] that a dense layer's input was, or is made to be."""
    name = dense.input[0]
    affine = affine_of(graph, graph.producer(name))
    node = graph.producer(name)
    if affine is not None and node is not None:
        quantize = graph.producer(node.input[0])
        node = graph.producer(quantize.input[0]) if quantize is not None else None
    if node is not None and node.op_type in RESHAPES:
        before = graph.producer(node.input[0])
        if graph.shape(node.input[0]) == (*graph.shape(name), 1, 1) and affine_of(graph, before) == affine:
            return str(node.input[0])
    shape = (*graph.shape(name), 1, 1)
    wanted = graph.add_constant(f"{name}/shape", np.array(shape, np.int64))
    square = graph.fresh(f"{name}/pixels")
    reshape = helper.make_node("Reshape", [name, wanted], [square], name=square)
    graph.insert(dense, reshape, shape)
    return square if affine is None else insert_pair(graph, dense, square, affine)


def _bias(graph: Graph, dense: NodeProto, outputs: int) -> tuple[str, NodeProto | None]:
    """The bias [outputs], dequantized or float, and after a MatMul the Add that it came from."""
    add = graph.sole_consumer(dense.output[0]) if dense.op_type == "MatMul" else None
    if add is not None and add.op_type == "Add":
        other = next((name for name in add.input if name != dense.output[0]), "")
        value = real_values(graph, other)
        if value is not None and value.size == outputs:
            return _flat(graph, other, value), add
    if dense.op_type == "MatMul" or len(dense.input) < 3 or not dense.input[2]:
        return "", None
    value = real_values(graph, dense.input[2])
    if value is None:
        return dense.input[2], None
    if value.shape == (outputs,):
        return dense.input[2], None  # whole, where it is
    return _flat(graph, dense.input[2], np.broadcast_to(value, (1, outputs))), None


def _flat(graph: Graph, name: str, value: NDArray[np.float32]) -> str:
    return graph.add_constant(f"{name}/flat", np.ascontiguousarray(value.reshape(-1)))
