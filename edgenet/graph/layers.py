"""The layers of a user's float graph: a weighted or pooling node and the pointwise nodes that follow it.

Runtimes fold, fuse and rename; what they say of "conv1_relu_3_out_nchwc" belongs to the user's "conv1".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx

from edgenet.graph.cost import cost
from edgenet.graph.graph import Graph

__all__ = ["Layer", "find", "layers", "onnx_taps", "quantized_tensors"]

# What runtimes fold into the node before them.
POINTWISE = (
    "BatchNormalization", "Relu", "Clip", "LeakyRelu", "PRelu", "HardSwish", "HardSigmoid", "Sigmoid",
    "Identity", "Dropout",
)  # fmt: skip
PAIR = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Layer:
    """One layer of the user's network.

    Attributes:
        name: Of its first node, or of that node's output where the node has none.
        op: ONNX operator of that node.
        names: Names of all its nodes and of the tensors they give.
        tensors: The tensors it gives, in order; the last one is its result.
        macs: Multiply-adds for one image.
        values: Numbers that it reads (activations and weights) and writes, for one image.
        reads: Names of the layers whose results it reads, in order.
    """

    name: str
    op: str
    names: tuple[str, ...]
    tensors: tuple[str, ...]
    macs: int
    values: int
    reads: tuple[str, ...] = ()


def layers(proto: onnx.ModelProto) -> list[Layer]:
    """The layers of a user's graph, in order; a Q/DQ pair belongs to the layer that it rounds."""
    graph = Graph(proto)
    macs = {row.name: row.macs for row in cost(proto).layers}
    found: list[list[onnx.NodeProto]] = []
    group_of: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.nodes:
        if node.op_type in PAIR:
            rounded = group_of.get(node.input[0])
            if rounded is not None:
                rounded.append(node)
                group_of[node.output[0]] = rounded
            continue
        before = group_of.get(node.input[0]) if node.op_type in POINTWISE else None
        if before is not None and graph.sole_consumer(node.input[0]) is not None:
            before.append(node)
            group = before
        else:
            group = [node]
            found.append(group)
        group_of[node.output[0]] = group
    return [_layer(graph, group, macs, _read(group, group_of)) for group in found]


def _read(
    group: Sequence[onnx.NodeProto], group_of: Mapping[str, Sequence[onnx.NodeProto]]
) -> tuple[str, ...]:
    """The names of the other groups that this one reads."""
    read = [group_of[item] for node in group for item in node.input if item in group_of]
    return tuple(dict.fromkeys(_named(other) for other in read if other is not group))


def _named(group: Sequence[onnx.NodeProto]) -> str:
    return group[0].name or group[0].output[0]


def _layer(
    graph: Graph, group: Sequence[onnx.NodeProto], macs: dict[str, int], reads: tuple[str, ...]
) -> Layer:
    first, name = group[0], _named(group)
    outputs = [node.output[0] for node in group]
    tensors = tuple(node.output[0] for node in group if node.op_type != "QuantizeLinear")
    read = [item for item in first.input if item]
    sizes = [math.prod(graph.shape(item)) for item in (*read, tensors[-1])]
    names = tuple(dict.fromkeys([*(node.name for node in group if node.name), *outputs]))
    return Layer(name, first.op_type, names, tensors, macs.get(name, 0), sum(sizes), reads)


def find(runtime_name: str, known: Iterable[Layer]) -> Layer | None:
    """The layer that a runtime's name speaks of: the longest of our names that it begins with.

    What follows must be no letter and no digit: "conv_1" does not speak for "conv_10".
    """
    best, length = None, 0
    for layer in known:
        for name in layer.names:
            if len(name) > length and re.match(re.escape(name) + r"(?![A-Za-z0-9])", runtime_name):
                best, length = layer, len(name)
    return best


def quantized_tensors(proto: onnx.ModelProto) -> list[tuple[str, float, int]]:
    """(name, scale, zero point) of every int8 activation of a Q/DQ graph, in order; per tensor only."""
    graph = Graph(proto)
    found = []
    for node in graph.nodes:
        if node.op_type != "QuantizeLinear" or node.input[0] in graph.constants:
            continue
        scale, zero = graph.constants.get(node.input[1]), graph.constants.get(node.input[2])
        if scale is not None and zero is not None and scale.size == 1:
            found.append((node.output[0], float(scale.reshape(-1)[0]), int(zero.reshape(-1)[0])))
    return found


def onnx_taps(data: bytes, known: Sequence[Layer]) -> list[tuple[str, float | None, int | None]]:
    """(name, scale, zero point) of what a serialized graph can show of its layers.

    Its int8 activations; of a graph without any the last tensors of the user's layers ``known``.
    """
    quantized = quantized_tensors(onnx.load_model_from_string(data))
    return [*quantized] or [(layer.tensors[-1], None, None) for layer in known]
