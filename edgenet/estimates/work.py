"""What a network asks of a processor: multiply-adds and numbers moved, layer by layer."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import onnx
from onnx import helper

from edgenet.errors import ModelError
from edgenet.graph.layers import Layer, layers
from edgenet.zoo.named import NamedNetwork

__all__ = ["LayerWork", "Work", "work_of", "work_of_named"]

# Weights beyond this many numbers say nothing that their shape does not.
SMALL = 64
# A MobileNet computes nearly everything in depthwise and 1x1 convolutions.
SEPARABLE = 0.8


@dataclass(frozen=True)
class LayerWork:
    """One layer.

    Attributes:
        macs: Multiply-adds for one image.
        values: Numbers that it reads (activations and weights) and writes.
    """

    macs: int
    values: int


@dataclass(frozen=True)
class Work:
    """A network's layers.

    Attributes:
        layers: In graph order.
        family: "v1", "v2" or "v3" by its structure; ``None`` of a network that is no MobileNet.
    """

    layers: tuple[LayerWork, ...]
    family: str | None

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return sum(layer.macs for layer in self.layers)


@functools.cache
def work_of_named(network: NamedNetwork) -> Work:
    """Of a network of the papers.

    Raises:
        ModelError: Its width or resolution is out of range.
    """
    return work_of(network.blank())


def work_of(proto: onnx.ModelProto) -> Work:
    """Of a graph, float or with QuantizeLinear/DequantizeLinear pairs.

    Raises:
        ModelError: A shape that is needed cannot be inferred, or nothing in it multiplies.
    """
    bare = _without_weights(proto)
    found = layers(bare)
    rows = tuple(LayerWork(layer.macs, layer.values) for layer in found)
    if not any(row.macs for row in rows):
        raise ModelError("the network has no convolution and no matrix product", "give a network that has")
    return Work(rows, _family(bare, found))


def _without_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with its large weights as inputs of their shape, for it is read a few times."""
    graph = proto.graph
    given = {item.name for item in graph.input}
    small = [item for item in graph.initializer if math.prod(item.dims) <= SMALL]
    large = [
        helper.make_tensor_value_info(item.name, item.data_type, item.dims)
        for item in graph.initializer
        if math.prod(item.dims) > SMALL and item.name not in given
    ]
    bare = helper.make_graph(graph.node, graph.name or "graph", [*graph.input, *large], graph.output, small)
    return helper.make_model(bare, opset_imports=proto.opset_import, ir_version=proto.ir_version)


def _family(proto: onnx.ModelProto, found: Sequence[Layer]) -> str | None:
    """Which MobileNet a network is like: hard activations are V3's, sums V2's."""
    nodes = {node.name or node.output[0]: node for node in proto.graph.node if node.op_type == "Conv"}
    kinds = {layer.name: _separable(nodes[layer.name]) for layer in found if layer.op == "Conv"}
    separable = sum(layer.macs for layer in found if kinds.get(layer.name))
    if "depthwise" not in kinds.values() or separable < SEPARABLE * sum(layer.macs for layer in found):
        return None
    operators = {node.op_type for node in proto.graph.node}
    if operators & {"HardSwish", "HardSigmoid"}:
        return "v3"
    return "v2" if "Add" in operators else "v1"


def _separable(node: onnx.NodeProto) -> str:
    """ "depthwise", "pointwise" or "", by a convolution's attributes."""
    given = {item.name: item for item in node.attribute}
    if "group" in given and given["group"].i > 1:
        return "depthwise"
    return "pointwise" if "kernel_shape" in given and set(given["kernel_shape"].ints) == {1} else ""
