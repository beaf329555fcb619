"""Half precision: a whole graph typed in it, or float32 weights stored in it."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph

__all__ = ["store_fp16", "to_fp16"]

LARGEST = float(np.finfo(np.float16).max)


def to_fp16(graph: Graph) -> int:
    """Make every float32 tensor between the pixels and the logits float16, in place.

    The logits are cast back to float32, so that the output is the same in every precision.

    Returns:
        How many weights are float16.

    Raises:
        UnsupportedError: A weight is too large for float16; names the node.
    """
    for node in graph.nodes:
        for name in node.input:
            _check(graph, name, node.op_type, node.name or node.output[0])
    real = [name for name, value in graph.constants.items() if value.dtype == np.float32]
    for name in real:
        graph.constants[name] = graph.constants[name].astype(np.float16)
    for node in graph.nodes:
        if node.op_type == "Cast" and helper.get_attribute_value(node.attribute[0]) == TensorProto.FLOAT:
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("to", TensorProto.FLOAT16))
    for name in graph.outputs:
        _cast_back(graph, name)
    return len(real)


def store_fp16(graph: Graph) -> int:
    """Store the kernels of convolutions as float16, in place; a Cast gives them back as float32.

    A runtime folds the Cast when it loads the graph: the file is half as large, the speed that of float32.

    Returns:
        How many kernels are float16.

    Raises:
        UnsupportedError: A weight is too large for float16; names the node.
    """
    convs = [node for node in graph.nodes if node.op_type == "Conv"]
    for node in convs:
        name = node.input[1]
        _check(graph, name, node.op_type, node.name or node.output[0])
        half = graph.add_constant(f"{name}/half", graph.constants[name].astype(np.float16))
        real = graph.fresh(f"{name}/float")
        cast = helper.make_node("Cast", [half], [real], name=real, to=TensorProto.FLOAT)
        graph.set_input(node, 1, real)
        graph.insert(node, cast, graph.shape(name))
    return len(convs)


def _cast_back(graph: Graph, name: str) -> None:
    """Let an output of the graph be float32 again."""
    last = graph.producer(name)
    if last is None:
        raise ValueError(f"nothing computes the output {name!r}")
    half = graph.fresh(f"{name}/half")
    graph.set_output(last, list(last.output).index(name), half)
    for reader in graph.consumers(name):
        graph.exchange(reader, name, half)
    label = graph.fresh(f"{name}/scores")
    graph.insert(None, helper.make_node("Cast", [half], [name], name=label, to=TensorProto.FLOAT))


def _check(graph: Graph, name: str, kind: str, label: str) -> None:
    value = graph.constant(name)
    if value is None or value.dtype != np.float32 or not value.size:
        return
    largest = float(np.abs(value).max())
    infinite_bound = kind == "Clip" and not np.isfinite(largest)
    if largest > LARGEST and not infinite_bound:
        raise UnsupportedError(
            f"{kind} {label!r} has a weight of {largest:.3g}, float16 ends at {LARGEST:.0f}",
            "choose --precision fp32 or int8",
        )
