"""Take off what a graph ends in where answers are the same without it: it is no work for int8."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import NodeProto

from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.passes.heads import split_heads
from edgenet.graph.segments import behind, subgraph

__all__ = ["ENDINGS", "HEADS", "SIGMOID", "SOFTMAX", "strip_normalization", "strip_sigmoid", "strip_softmax"]

SOFTMAX = "softmax"
SIGMOID = "sigmoid"
HEADS = "heads"
SINGLE_AXIS_SOFTMAX = 13  # the first operator set in which it is over one axis
RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")

# An L2 normalization is written in up to so many nodes, and each computes little.
NODES = 10
HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
TOLERANCE = 1e-5


def strip_softmax(graph: Graph) -> int:
    """Let the graph end in logits, in place: remove a final Softmax over the classes.

    The order of the classes is the same without it, and the probabilities follow from the logits
    wherever they are wanted.

    Returns:
        1 if a Softmax was removed, else 0.
    """
    last = _last(graph)
    if last is None or last.op_type != "Softmax" or not _over_all(graph, last):
        return 0
    graph.bypass(last)
    return 1


def strip_sigmoid(graph: Graph) -> int:
    """Let the graph end in logits, in place: remove a final Sigmoid, which keeps the order of each number.

    Returns:
        1 if a Sigmoid was removed, else 0.
    """
    last = _last(graph)
    if last is None or last.op_type != "Sigmoid":
        return 0
    graph.bypass(last)
    return 1


def _last(graph: Graph) -> NodeProto | None:
    """The last node that computes anything."""
    last = graph.producer(graph.output)
    while last is not None and last.op_type in RESHAPES:
        last = graph.producer(last.input[0]) if graph.sole_consumer(last.input[0]) is not None else None
    return last


def _over_all(graph: Graph, softmax: NodeProto) -> bool:
    """Whether it makes one distribution of all its numbers."""
    shape = graph.shape(softmax.input[0])
    axis = attributes(softmax).get("axis", -1 if graph.opset >= SINGLE_AXIS_SOFTMAX else 1) % max(
        len(shape), 1
    )
    others = shape[:axis] + (shape[axis + 1 :] if graph.opset >= SINGLE_AXIS_SOFTMAX else ())
    return all(side == 1 for side in others)


def strip_normalization(graph: Graph) -> int:
    """Let the graph end in vectors of any length, in place: remove a final L2 normalization.

    Exporters write it in many ways (LpNormalization; ReduceL2, Clip and Div; Mul, ReduceSum, Rsqrt …), so it
    is known by what it does: the nodes behind a tensor that bring vectors to length 1, tried on some.

    Returns:
        1 if one was removed, else 0.
    """
    shape, waiting, seen = graph.shape(graph.output), [graph.output], 0
    while waiting and seen < NODES:
        node = graph.producer(waiting.pop(0))
        if node is None or node.op_type in HEAVY:
            continue
        seen += 1
        inputs = [name for name in node.input if name and name not in graph.constants]
        for name in inputs:
            if graph.shape(name) == shape and (nodes := _normalization(graph, name)):
                for part in reversed(nodes):
                    graph.remove(part)
                graph.redirect(graph.output, name)
                return 1
        waiting += inputs
    return 0


# By the names that tasks use.
ENDINGS: Mapping[str, Callable[[Graph], int]] = {
    SOFTMAX: strip_softmax,
    SIGMOID: strip_sigmoid,
    HEADS: split_heads,
    "l2-normalization": strip_normalization,
}


def _normalization(graph: Graph, name: str) -> Sequence[NodeProto]:
    """The nodes behind a tensor [1, n], where all they do is to bring it to length 1; else none."""
    last = graph.producer(graph.output)
    nodes, ends = behind(graph, last, {name}) if last is not None else ((), ())
    if ends != (name,) or any(node.op_type in HEAVY for node in nodes):
        return ()
    tried = np.random.default_rng(0).normal(size=(3, *graph.shape(name))).astype(np.float32)
    tried *= np.array([0.3, 1.0, 20.0], np.float32)[:, None, None]
    try:
        run = Evaluator(subgraph(graph, nodes, [name], [graph.output]))
        got = [run.run(value)[graph.output] for value in tried]
    except ModelError:
        return ()
    apart = (np.abs(b - a / np.linalg.norm(a)).max() for a, b in zip(tried, got, strict=True))
    return nodes if all(value < TOLERANCE for value in apart) else ()
