"""The passes a model that comes quantized goes through, in their order, in place of quantizing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import NodeProto, helper

from edgenet.errors import ModelError
from edgenet.graph.given.biases import whole_biases
from edgenet.graph.given.dense import given_dense_to_conv
from edgenet.graph.given.entry import take_pixels
from edgenet.graph.given.operators import explicit_qdq
from edgenet.graph.given.pairs import affine_of, merge_pairs, part_activations, settle_reshapes
from edgenet.graph.given.parameters import real_values, settle_parameters
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.names import free_names
from edgenet.graph.passes.ending import ENDINGS, SIGMOID, SOFTMAX
from edgenet.graph.passes.fold_constants import fold_constants
from edgenet.graph.passes.simplify import simplify
from edgenet.graph.passes.to_nchw import to_nchw
from edgenet.model import Model

__all__ = ["take_given"]

# Endings whose probabilities a quantized graph rounds.
ROUNDED = {SOFTMAX: "Softmax", SIGMOID: "Sigmoid"}


def take_given(model: Model) -> Model:
    """Bring a model that came quantized to the canonical int8 form; its scales and whole weights stay.

    The result is what quantizing a float model gives: ``pixels`` (uint8 [1, H, W, 3], RGB) to logits (float32
    [1, classes]), activations int8 with one scale, kernels int8, biases int32. It computes what the model
    computed, up to float rounding.

    Raises:
        ModelError: It chooses scales while it runs.
        UnsupportedError: An operator or type has no form here; it is named.
    """
    graph = Graph(explicit_qdq(free_names(model.proto), model.name))
    fold_constants(graph)
    to_nchw(graph)
    settle_parameters(graph)
    simplify(graph)
    _split_batchnorm(graph)
    ending = model.task.ending
    stripped = _strip(graph, ROUNDED[ending]) if ending in ROUNDED else ENDINGS[ending](graph)
    merge_pairs(graph)
    settle_reshapes(graph)
    if given_dense_to_conv(graph):
        settle_reshapes(graph)
    part_activations(graph)
    take_pixels(graph, model.preprocessing)
    whole_biases(graph)
    merge_pairs(graph)
    if not any(affine_of(graph, node) for node in graph.nodes):
        raise ModelError(
            f"{model.name}: its weights are quantized and its activations are not",
            "give the float model, and --precision int8-dynamic or int8",
        )
    output = model.task.outputs[0] if stripped else model.output
    return replace(model, proto=graph.proto(), output=output, precision="int8", kept_scales=True)


def _strip(graph: Graph, operator: str) -> int:
    """Let the graph end in logits: remove a final operator, and the pair that rounds its probabilities."""
    ending: list[NodeProto] = []
    node = graph.producer(graph.output)
    while node is not None and affine_of(graph, node) is not None:
        ending.append(node)
        node = graph.producer(node.input[0])
    if node is None or node.op_type != operator:
        return 0
    for item in [*ending, node]:
        graph.bypass(item)
    return 1


def _split_batchnorm(graph: Graph) -> int:
    """Write a batch normalization that stands between pairs as the Mul and the Add that it is."""
    nodes = [node for node in graph.nodes if node.op_type == "BatchNormalization"]
    split = 0
    for node in nodes:
        read = [real_values(graph, name) for name in node.input[1:5]]
        rank = len(graph.shape(node.input[0]))
        if any(value is None for value in read) or rank < 2:
            continue
        gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in read)
        factor = gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
        name, shape = node.output[0], graph.shape(node.output[0])
        parts = {"factor": factor, "offset": beta - mean * factor}
        by = {
            key: graph.add_constant(
                f"{name}/{key}", value.astype(np.float32).reshape(1, -1, *[1] * (rank - 2))
            )
            for key, value in parts.items()
        }
        scaled = graph.fresh(f"{name}/scaled")
        product = helper.make_node("Mul", [node.input[0], by["factor"]], [scaled], name=scaled)
        graph.insert(node, product, shape)
        graph.insert(node, helper.make_node("Add", [scaled, by["offset"]], [name], name=node.name), shape)
        graph.remove(node)
        split += 1
    return split
