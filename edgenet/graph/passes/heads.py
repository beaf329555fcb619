"""Let the row of a detector end in its heads: one output a map, each with a range of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.segments import subgraph

__all__ = ["lays_out", "split_heads"]

# What moves numbers about and changes none.
MOVES = ("Concat", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
ACTIVATIONS = ("Softmax", "Sigmoid")
PAIR = ("QuantizeLinear", "DequantizeLinear")
IMAGE_RANK = 4
LARGEST = 1 << 24  # float32 counts so far
LAST_CHANNELS = (0, 2, 3, 1)  # NCHW as NHWC


@dataclass
class _Tail:
    """What stands between the heads and the row.

    Attributes:
        leaves: The heads' tensors, and whether an activation stands behind each.
        nodes: All nodes behind them.
    """

    leaves: dict[str, bool] = field(default_factory=dict)
    nodes: list[NodeProto] = field(default_factory=list)


def split_heads(graph: Graph) -> int:
    """Take Concat, Reshape, Transpose, and Softmax or Sigmoid of the scores off the end, in place.

    The graph [1, values] then has one output for each tensor that was moved into its row, each [1, values],
    and these follow one another in the row's order. A map [1, C, H, W] gives its numbers in the order H, W,
    C, so that nothing is left to be moved where the channels are last.

    What ends the graph is known by what it does to numbers, tried once; a graph that does anything else to
    them, or whose scores and boxes have an activation, stays as it is.

    Returns:
        1 if an activation was taken off, else 0.
    """
    tail = _tail(graph)
    if len(tail.leaves) < 2 or not _only_first(tail):
        return 0
    order = _order(graph, tail)
    if not order:
        return 0
    activated = any(tail.leaves.values())
    _end_in(graph, order, tail)
    return int(activated)


def lays_out(node: NodeProto) -> bool:
    """Whether a node brings a head into the order of its row, channels last."""
    return node.op_type == "Transpose" and tuple(attributes(node).get("perm", ())) == LAST_CHANNELS


def _tail(graph: Graph) -> _Tail:
    """Walk from the row to the tensors that something computes."""
    tail, found = _Tail(), set[int]()
    waiting = [(graph.output, False)]
    while waiting:
        name, active = waiting.pop()
        node = graph.producer(name)
        if node is None or node.op_type not in (*MOVES, *ACTIVATIONS, *PAIR) or _of_head(graph, node):
            tail.leaves[name] = active or tail.leaves.get(name, False)
            continue
        if id(node) not in found:
            found.add(id(node))
            tail.nodes.append(node)
        sources = node.input if node.op_type == "Concat" else node.input[:1]
        waiting += [(source, active or node.op_type in ACTIVATIONS) for source in sources]
    tail.nodes = graph.ordered(tail.nodes)
    return tail


def _of_head(graph: Graph, node: NodeProto) -> bool:
    """Whether it dequantizes what a computing node gave: the pair that says a head's scale."""
    if node.op_type != "DequantizeLinear":
        return False
    quantize = graph.producer(node.input[0])
    source = graph.producer(quantize.input[0]) if quantize is not None else None
    return source is None or source.op_type not in (*MOVES, *ACTIVATIONS, *PAIR)


def _only_first(tail: _Tail) -> bool:
    """Whether scores and boxes are apart: not all of several heads have an activation."""
    return not all(tail.leaves.values())


def _order(graph: Graph, tail: _Tail) -> list[str]:
    """The heads in the order of the row; none where the row is not they one after another."""
    sizes = {name: int(np.prod(graph.shape(name))) for name in tail.leaves}
    if any(name in graph.constants for name in sizes) or not 0 < sum(sizes.values()) < LARGEST:
        return []
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    row = _traced(graph, tail, starts)
    if row is None or len(row) != sum(sizes.values()):
        return []
    place, order = 0, []
    by_first = {int(_numbers(graph, name, start)[0]): name for name, start in starts.items()}
    while place < len(row):
        name = by_first.get(int(row[place]), "")
        if not name or name in order:
            return []
        if not np.array_equal(row[place : place + sizes[name]], _numbers(graph, name, starts[name])):
            return []
        order.append(name)
        place += sizes[name]
    activated = [tail.leaves[name] for name in order]
    return order if activated == sorted(activated, reverse=True) else []


def _numbers(graph: Graph, name: str, start: int) -> NDArray[np.int64]:
    """The numbers of a head, counted from ``start``, in the order in which it gives them."""
    shape = graph.shape(name)
    counted = np.arange(start, start + int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return (counted.transpose(LAST_CHANNELS) if len(shape) == IMAGE_RANK else counted).reshape(-1)


def _traced(graph: Graph, tail: _Tail, starts: dict[str, int]) -> NDArray[np.int64] | None:
    """Where each number of the row is from: heads of counted numbers, moved."""
    copies, renamed = [], dict[str, str]()
    for node in tail.nodes:
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type in (*ACTIVATIONS, *PAIR):
            renamed[node.output[0]] = inputs[0]
            continue
        copies.append(helper.make_node(node.op_type, inputs, list(node.output)))
        copies[-1].attribute.extend(node.attribute)
    end = renamed.get(graph.output, graph.output)
    feeds = {
        name: np.arange(start, start + np.prod(graph.shape(name)), dtype=np.float32).reshape(
            graph.shape(name)
        )
        for name, start in starts.items()
    }
    try:
        got = Evaluator(subgraph(graph, copies, list(feeds), [end])).feed(feeds)[end]
    except ModelError:
        return None
    return np.asarray(got, np.int64).reshape(-1)


def _end_in(graph: Graph, order: Sequence[str], tail: _Tail) -> None:
    """Let the graph give these tensors, each flat, in place of its row."""
    row, infos = graph.output, []
    for number, name in enumerate(order):
        shape, source = graph.shape(name), name
        flat = graph.fresh(f"head{number}")
        if len(shape) == IMAGE_RANK and np.prod(shape[2:]) > 1:
            source = graph.fresh(f"{flat}/nhwc")
            moved = [shape[axis] for axis in LAST_CHANNELS]
            node = helper.make_node("Transpose", [name], [source], name=source, perm=LAST_CHANNELS)
            graph.insert(None, node, moved)
        size = int(np.prod(shape))
        graph.insert(None, helper.make_node("Flatten", [source], [flat], name=flat, axis=1), (1, size))
        infos.append(helper.make_tensor_value_info(flat, TensorProto.FLOAT, [1, size]))
    graph.end_in(row, infos)
    _drop(graph, tail.nodes)


def _drop(graph: Graph, nodes: Iterable[NodeProto]) -> None:
    for node in reversed(list(nodes)):
        if not graph.consumers(node.output[0]) and not graph.is_output(node.output[0]):
            graph.remove(node)
