"""One Q/DQ pair a tensor: what exporters write twice, or where it changes nothing, is written once."""

from __future__ import annotations

import math

import numpy as np
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph
from edgenet.graph.passes.heads import lays_out
from edgenet.graph.qdq.insert import clip_bounds
from edgenet.graph.qparams import Affine

__all__ = ["affine_of", "insert_pair", "merge_pairs", "part_activations", "quantizers_of", "settle_reshapes"]

RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
# What edgenet.graph.qdq.tensorrt gives its ReLU back where a range begins at 0.
RECTIFIED = ("Add", "Conv", "Mul")
# Operators that runtimes compute together with an activation behind them, and the activations.
FUSING = ("Add", "AveragePool", "Conv", "MaxPool", "Mul")
FUSED = ((0.0, math.inf), (0.0, 6.0), (-1.0, 1.0))
POINTWISE = ("Clip", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Sigmoid")


def affine_of(graph: Graph, node: NodeProto | None) -> Affine | None:
    """Scale and zero point of a QuantizeLinear or DequantizeLinear of an activation; else ``None``."""
    if node is None or node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
        return None
    if node.input[0] in graph.constants:
        return None
    return Affine.of(*(graph.constants[name] for name in node.input[1:3]))


def quantizers_of(graph: Graph, name: str) -> list[NodeProto]:
    """The QuantizeLinear nodes that read a tensor; none where anything else reads it too."""
    readers = graph.consumers(name)
    alone = not graph.is_output(name) and all(node.op_type == "QuantizeLinear" for node in readers)
    return readers if alone else []


def insert_pair(graph: Graph, before: NodeProto | None, source: str, affine: Affine) -> str:
    """Quantize and dequantize a tensor in front of a node; the name of the result."""
    shape, label = graph.shape(source), graph.fresh(f"{source}/int8")
    real = graph.fresh(f"{source}/real")
    scale = graph.add_constant(f"{label}/scale", np.array(affine.scale, np.float32))
    zero = graph.add_constant(f"{label}/zero_point", np.array(affine.zero_point, np.int8))
    quantize = helper.make_node("QuantizeLinear", [source, scale, zero], [label], name=label)
    graph.insert(before, quantize, shape)
    dequantize = helper.make_node("DequantizeLinear", [label, scale, zero], [real], name=f"{real}/dq")
    graph.insert(before, dequantize, shape)
    return real


def merge_pairs(graph: Graph) -> int:
    """Keep one pair for each tensor and range, and no activation that its range implies, in place.

    Returns:
        How many nodes are gone.
    """
    before = len(graph.nodes)
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            _drop_repeated(graph, node)
    for node in graph.nodes:
        if node.op_type in ("Relu", "Clip"):
            _drop_implied(graph, node)
    for node in graph.nodes:
        if node.op_type == "QuantizeLinear":
            _merge_readers(graph, node)
    _drop_unread(graph)
    return before - len(graph.nodes)


def part_activations(graph: Graph) -> int:
    """Round what comes before an activation too, where runtimes do not compute the two as one, in place.

    Limiting and rounding commute, so nothing changes: both keep the order of numbers.

    Returns:
        How many activations stand alone now.
    """
    parted = 0
    for node in [node for node in graph.nodes if node.op_type in ("Relu", "Clip")]:
        source, ranges = graph.producer(node.input[0]), _ranges(graph, node.output[0])
        if source is None or source.op_type == "DequantizeLinear" or len(ranges) != 1:
            continue
        if source.op_type not in FUSING or _limits(graph, node) not in FUSED:
            graph.set_input(node, 0, insert_pair(graph, node, node.input[0], ranges.pop()))
            parted += 1
    return parted


def settle_reshapes(graph: Graph) -> int:
    """Let a tensor that merely gets another shape be int8 before and behind it, on one scale, in place.

    Returns:
        How many were rewritten.
    """
    _sink(graph)
    changed = 0
    for node in [node for node in graph.nodes if node.op_type in RESHAPES or lays_out(node)]:
        changed += _settle_reshape(graph, node)
    merge_pairs(graph)
    return changed


def _drop_repeated(graph: Graph, node: NodeProto) -> None:
    """A tensor that is quantized again as it is, or as another node does already."""
    affine, source = affine_of(graph, node), graph.producer(node.input[0])
    if source is not None and affine_of(graph, source) == affine:
        graph.redirect(node.output[0], source.input[0])
        graph.remove(node)
        return
    first = next(
        item
        for item in graph.consumers(node.input[0])
        if item.op_type == "QuantizeLinear" and affine_of(graph, item) == affine
    )
    if first is not node:
        graph.redirect(node.output[0], first.output[0])
        graph.remove(node)


def _merge_readers(graph: Graph, node: NodeProto) -> None:
    """One DequantizeLinear behind a QuantizeLinear, that of the graph's output if there is such a one."""
    readers = graph.consumers(node.output[0])
    if not readers:
        return
    outputs = [item for item in readers if graph.is_output(item.output[0])]
    kept = outputs[0] if outputs else readers[0]
    others = [item for item in readers if item is not kept and item not in outputs]
    if outputs and readers[0] is not kept:  # it must stand before all that will read it
        graph.remove(kept)
        graph.insert(readers[0], kept, graph.shape(kept.output[0]))
    for item in others:
        graph.remove(item)
        graph.redirect(item.output[0], kept.output[0])


def _drop_implied(graph: Graph, node: NodeProto) -> None:
    """Take out an activation where saturating at the ends of the range is the same to the last step."""
    readers = quantizers_of(graph, node.output[0])
    if not readers or graph.sole_consumer(node.input[0]) is None:
        return
    source = graph.producer(node.input[0])
    if source is None or source.op_type not in RECTIFIED:
        return
    low, high = _limits(graph, node)
    for affine in [affine_of(graph, item) for item in readers]:
        slack = affine.scale * 1e-3 if affine else 0.0
        if affine is None or affine.low < low - slack or affine.high > high + slack:
            return
    graph.bypass(node)


def _limits(graph: Graph, node: NodeProto) -> tuple[float, float]:
    return clip_bounds(graph, node) if node.op_type == "Clip" else (0.0, math.inf)


def _ranges(graph: Graph, name: str) -> set[Affine]:
    """How a tensor is quantized by all that read it; empty where something reads it as it is."""
    found = (affine_of(graph, node) for node in quantizers_of(graph, name))
    return {affine for affine in found if affine is not None}


def _drop_unread(graph: Graph) -> None:
    for node in reversed(graph.nodes):
        if node.op_type in ("DequantizeLinear", "QuantizeLinear", *RESHAPES):
            name = node.output[0]
            if not graph.consumers(name) and not graph.is_output(name):
                graph.remove(node)


def _sink(graph: Graph) -> None:
    """Flatten behind pointwise operators instead of before them: Conv → Relu is what runtimes fuse."""
    for node in [node for node in graph.nodes if node.op_type in RESHAPES]:
        moved = node
        while (reader := _pointwise_reader(graph, moved)) is not None:
            moved = _swap(graph, moved, reader)


def _pointwise_reader(graph: Graph, node: NodeProto) -> NodeProto | None:
    reader = graph.sole_consumer(node.output[0])
    whole = affine_of(graph, graph.producer(node.input[0])) is not None
    return reader if reader is not None and reader.op_type in POINTWISE and not whole else None


def _swap(graph: Graph, node: NodeProto, reader: NodeProto) -> NodeProto:
    """node → reader as reader → node, under the same names."""
    name, shapes = reader.output[0], [graph.shape(item) for item in (node.input[0], node.output[0])]
    behind, inner = graph.following(reader), graph.fresh(f"{reader.output[0]}/unflattened")
    graph.set_input(reader, 0, node.input[0])
    graph.remove(node)
    graph.set_output(reader, 0, inner)
    graph.reshape(inner, shapes[0])
    moved = helper.make_node(node.op_type, [inner, *node.input[1:]], [name], name=node.name)
    moved.attribute.extend(node.attribute)
    return graph.insert(behind, moved, shapes[1])


def _settle_reshape(graph: Graph, node: NodeProto) -> bool:
    source, given = node.input[0], affine_of(graph, graph.producer(node.input[0]))
    ranges = _ranges(graph, node.output[0])
    wanted = ranges.pop() if len(ranges) == 1 else None
    if wanted is not None and wanted != given:  # rounding and moving commute
        graph.set_input(node, 0, insert_pair(graph, node, source, wanted))
        return True
    if wanted is None and given is not None:
        _pair_behind(graph, node, given)
        return True
    return False


def _pair_behind(graph: Graph, node: NodeProto, affine: Affine) -> None:
    name = node.output[0]
    behind = graph.following(node)
    if not graph.is_output(name):
        readers = graph.consumers(name)
        real = insert_pair(graph, behind, name, affine)
        for reader in readers:
            graph.exchange(reader, name, real)
        return
    inner = graph.fresh(f"{name}/flat")
    graph.reshape(inner, graph.shape(name))
    graph.set_output(node, 0, inner)
    real = insert_pair(graph, behind, inner, affine)
    last = graph.producer(real)
    if last is not None:
        graph.set_output(last, 0, name)
        graph.reshape(name, graph.shape(inner))
