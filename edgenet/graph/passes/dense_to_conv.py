"""Write the classifier as a convolution, so that one operator serves every backend."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes

__all__ = ["dense_to_conv"]

FLATTENING = ("Flatten", "Reshape", "Squeeze")
RESTORING = ("Reshape", "Unsqueeze")
# Activations before which a tensor may as well be flattened as behind them.
TO_NHWC = (0, 2, 3, 1)
POINTWISE = ("Clip", "HardSigmoid", "HardSwish", "Relu")


def dense_to_conv(graph: Graph) -> int:
    """Rewrite [1,C,H,W] → Flatten → Gemm (or MatMul, Add) as a Conv of that size → Flatten, in place.

    Behind pooling that is a Conv 1x1. The arithmetic is the same; per-channel int8 weights then work in every
    runtime (TFLite has per-channel fully-connected weights only in recent releases). Activations between the
    two are passed, and a reshape that restores the pixel axes vanishes with the flattening. A Transpose to
    NHWC before the flattening goes into the order of the weights.

    Returns:
        How many dense layers were rewritten, and how many reshapes vanished.
    """
    rewritten = 0
    for dense in [node for node in graph.nodes if node.op_type in ("Gemm", "MatMul")]:
        found = _flatten_before(graph, dense)
        if found is None:
            continue
        flatten, passed = found
        source = graph.shape(flatten.input[0])
        weights = _weights(graph, dense)
        if weights is None or len(source) != 4 or math.prod(source) != weights.shape[1]:
            continue
        flatten = _sink(graph, flatten, passed, dense)
        _rewrite(graph, flatten, dense, _as_kernel(graph, flatten, weights))
        rewritten += 1
    return rewritten + sum(_cancel(graph, node) for node in graph.nodes if node.op_type in RESTORING)


def _cancel(graph: Graph, node: NodeProto) -> bool:
    """Take out a flattening and the reshape that undoes it (squeeze-and-excite written with dense layers)."""
    found = _flatten_before(graph, node)
    if found is None or graph.shape(found[0].input[0]) != graph.shape(node.output[0]):
        return False
    flatten = _sink(graph, *found, node)
    graph.set_input(node, 0, flatten.input[0])
    graph.bypass(node)
    if not graph.consumers(flatten.output[0]):
        graph.remove(flatten)
    return True


def _flatten_before(graph: Graph, dense: NodeProto) -> tuple[NodeProto, list[NodeProto]] | None:
    """The flattening that a dense layer reads, and the activations between the two, the last first."""
    node, passed = graph.producer(dense.input[0]), []
    while node is not None and node.op_type in POINTWISE and graph.sole_consumer(node.output[0]) is not None:
        passed.append(node)
        node = graph.producer(node.input[0])
    if node is None or node.op_type not in FLATTENING:
        return None
    if passed and graph.sole_consumer(node.output[0]) is None:
        return None
    return node, passed


def _sink(graph: Graph, flatten: NodeProto, passed: list[NodeProto], dense: NodeProto) -> NodeProto:
    """Put a flattening behind pointwise operators (the last first) instead of before them."""
    if not passed:
        return flatten
    shape = graph.shape(flatten.input[0])
    flat = graph.fresh(f"{passed[0].output[0]}/flat")
    lowered = helper.make_node("Flatten", [passed[0].output[0]], [flat], name=flat, axis=1)
    graph.redirect(passed[0].output[0], flat)
    graph.insert(dense, lowered, graph.shape(flatten.output[0]))
    graph.bypass(flatten)
    for node in passed:
        graph.reshape(node.output[0], shape)
    return lowered


def _weights(graph: Graph, dense: NodeProto) -> NDArray[np.float32] | None:
    """The dense weights as [outputs, inputs], or ``None`` if the node is not a plain dense layer."""
    weights = graph.constant(dense.input[1])
    if weights is None or weights.ndim != 2:
        return None
    options = attributes(dense)
    if options.get("transA", 0):
        return None
    weights = weights * np.float32(options.get("alpha", 1.0))
    return weights if options.get("transB", 0) else np.ascontiguousarray(weights.T)


def _bias(graph: Graph, dense: NodeProto, outputs: int) -> tuple[NDArray[np.float32], NodeProto | None]:
    """The bias [outputs] and, after a MatMul, the Add node it came from."""
    if dense.op_type == "Gemm" and len(dense.input) > 2:
        scale = np.float32(attributes(dense).get("beta", 1.0))
        return np.broadcast_to(graph.constants[dense.input[2]] * scale, (1, outputs)).reshape(-1), None
    add = graph.sole_consumer(dense.output[0])
    if dense.op_type == "MatMul" and add is not None and add.op_type == "Add":
        other = next(name for name in add.input if name != dense.output[0])
        value = graph.constant(other)
        if value is not None and value.size == outputs:
            return value.reshape(-1).astype(np.float32), add
    return np.zeros(outputs, np.float32), None


def _as_kernel(graph: Graph, flatten: NodeProto, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Dense weights [outputs, values] as a kernel [outputs, C, H, W] over what is flattened."""
    before = graph.producer(flatten.input[0])
    shape = graph.shape(flatten.input[0])
    alone = graph.sole_consumer(flatten.input[0]) is flatten
    if before is None or before.op_type != "Transpose" or not alone:
        return weights.reshape(-1, *shape[1:])
    perm = attributes(before).get("perm", ())
    if tuple(perm) != TO_NHWC:
        return weights.reshape(-1, *shape[1:])
    graph.bypass(before)
    return np.ascontiguousarray(weights.reshape(-1, *shape[1:]).transpose(0, 3, 1, 2))


def _rewrite(graph: Graph, flatten: NodeProto, dense: NodeProto, kernel: NDArray[np.float32]) -> None:
    outputs = len(kernel)
    bias, add = _bias(graph, dense, outputs)
    last = add or dense
    name = dense.name or dense.output[0]
    weights = graph.add_constant(f"{name}/kernel", kernel.astype(np.float32))
    offset = graph.add_constant(f"{name}/bias", bias)
    scores = graph.fresh(f"{name}/scores")
    conv = helper.make_node(
        "Conv", [flatten.input[0], weights, offset], [scores], name=name, kernel_shape=list(kernel.shape[2:])
    )
    graph.insert(last, conv, (1, outputs, 1, 1))
    graph.insert(
        last, helper.make_node("Flatten", [scores], [last.output[0]], name=f"{name}/flatten", axis=1)
    )
    for node in (dense, add):
        if node is not None:
            graph.remove(node)
    if not graph.consumers(flatten.output[0]):
        graph.remove(flatten)
