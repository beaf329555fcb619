"""What a network ends in: its logits, or a Softmax of them on request."""

from __future__ import annotations

from onnx import TensorProto, helper

from edgenet.graph.view import Graph
from edgenet.model import Model

__all__ = ["HEADS", "LOGITS", "with_head"]

LOGITS = "logits"
HEADS = (LOGITS, "softmax")


def with_head(model: Model, head: str) -> Model:
    """A prepared float or quantized model that ends in ``head``, one of ``HEADS``.

    The Softmax is computed in float32 whatever the precision: of a thousand probabilities in 256 steps most
    would be 0 and the best ones equal.
    """
    if head == LOGITS:
        return model
    graph = Graph(model.proto)
    shape = graph.shape(graph.output)
    name = graph.fresh("probabilities")
    node = helper.make_node("Softmax", [graph.output], [name], name=name, axis=1)
    graph.insert(None, node, shape)
    graph.output = name
    graph.output_info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    return model.with_proto(graph.proto(), output="probabilities")
