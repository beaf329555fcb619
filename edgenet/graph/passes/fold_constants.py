"""Compute while compiling what does not depend on the pixels: exporters write shapes as arithmetic."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper
from onnx.reference import ReferenceEvaluator

from edgenet.graph.graph import Graph, attributes

__all__ = ["fold_constants"]

# A node that makes more numbers than this stays: it is not a shape, and the file would only grow.
LARGEST = 1 << 20
KEPT = ("DequantizeLinear", "QuantizeLinear")


def fold_constants(graph: Graph) -> int:
    """Replace nodes without a variable input by what they compute, and Shape of a static shape, in place.

    Each round makes more shapes known and so more nodes constant; most graphs have nothing to fold.

    Returns:
        How many nodes are gone; the graph knows the shapes that are known then.
    """
    folded = 0
    while found := _fold(graph):
        graph.renew()
        folded += found
    return folded


def _fold(graph: Graph) -> int:
    folded = 0
    for node in list(graph.nodes):
        if node.op_type == "Shape" and _is_static(graph, node.input[0]):
            asked = attributes(node)
            part = slice(asked.get("start", 0), asked.get("end"))
            values = [np.array(graph.shape(node.input[0])[part], np.int64)]
        elif node.op_type not in KEPT and _reads_constants(graph, node):
            values = _computed(graph, node)
        else:
            continue
        if sum(value.size for value in values) > LARGEST:
            continue
        graph.constants.update(zip(node.output, values, strict=True))
        graph.remove(node)
        folded += 1
    return folded


def _is_static(graph: Graph, name: str) -> bool:
    return bool(graph.shape(name)) and all(graph.shape(name))


def _reads_constants(graph: Graph, node: NodeProto) -> bool:
    names = [name for name in node.input if name]
    return (
        bool(names)
        and all(name in graph.constants for name in names)
        and not any(map(graph.is_output, node.output))
    )


def _computed(graph: Graph, node: NodeProto) -> list[np.ndarray]:
    names = [name for name in dict.fromkeys(node.input) if name]
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(graph.constants[name].dtype), graph.constants[name].shape
        )
        for name in names
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    body = helper.make_graph([node], "constant", inputs, outputs)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", graph.opset)], ir_version=8)
    feed = {name: graph.constants[name] for name in names}
    return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feed)]
