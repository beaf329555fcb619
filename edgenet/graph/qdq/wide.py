"""16-bit activations: which tensors may have them; floats where a runtime has no kernels for them."""

from __future__ import annotations

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.movers import moves

__all__ = ["is_convolved_end", "wide_in_float"]


def is_convolved_end(graph: Graph, name: str) -> bool:
    """Whether a convolution computes a tensor of a float graph, and nothing but outputs is made from it."""
    node = graph.producer(name)
    return node is not None and node.op_type == "Conv" and _ends(graph, name)


def wide_in_float(graph: Graph) -> int:
    """Take the Q/DQ pairs of 16 bits out of a canonical graph, in place: floats are no less exact.

    Returns:
        How many tensors are float now.
    """
    rounded = [node for node in graph.nodes if node.op_type == "QuantizeLinear"]
    pairs = [node for node in rounded if graph.constants[node.input[2]].dtype.itemsize > 1]
    for quantize in pairs:
        (dequantize,) = graph.consumers(quantize.output[0])
        graph.bypass(quantize)
        graph.bypass(dequantize)
    return len(pairs)


def _ends(graph: Graph, name: str) -> bool:
    readers = graph.consumers(name)
    if graph.is_output(name):
        return not readers
    return bool(readers) and all(moves(node) and _ends(graph, node.output[0]) for node in readers)
