"""What a network ends in: its logits; on request their probabilities, or the best class beside them."""

from __future__ import annotations

from dataclasses import replace

import onnx
from onnx import TensorProto, helper

from edgenet.graph.graph import Graph
from edgenet.model import Model

__all__ = ["HEADS", "LABEL", "LOGITS", "with_head", "with_label"]

LOGITS = "logits"
HEADS = (LOGITS, "softmax", "sigmoid", "argmax")
# The second output of an artifact with "argmax": the index of the best class.
LABEL = "label"


def with_head(model: Model, head: str) -> Model:
    """A prepared float or quantized model that ends in ``head``, one of ``HEADS``.

    With "argmax" the writers add the output :data:`LABEL`; the scores stay the first output, because they
    are what edgenet measures.

    Probabilities are computed in float32 whatever the precision: of a thousand in 256 steps most would be 0
    and the best ones equal.
    """
    if head == LOGITS:
        return model
    if head == "argmax":
        return replace(model, label=True)
    graph = Graph(model.proto)
    shape = graph.shape(graph.output)
    name = graph.fresh("probabilities")
    if head == "softmax":
        node = helper.make_node("Softmax", [graph.output], [name], name=name, axis=1)
    else:
        node = helper.make_node("Sigmoid", [graph.output], [name], name=name)
    graph.insert(None, node, shape)
    probabilities = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph.replace_graph_output(graph.output, probabilities)
    return model.with_proto(graph.proto(), output="probabilities")


def with_label(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a finished graph that also gives the index of its largest score: int64 [1]."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    scores = proto.graph.output[0].name
    copy.graph.node.append(helper.make_node("ArgMax", [scores], [LABEL], name=LABEL, axis=1, keepdims=0))
    copy.graph.output.append(helper.make_tensor_value_info(LABEL, TensorProto.INT64, [1]))
    return copy
