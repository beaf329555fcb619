"""What a network ends in: probabilities that sum to one, the index that numpy's argmax gives."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.head import HEADS, LABEL, with_head, with_label
from edgenet.model import Model
from tests.backends.tflite_graphs import Net
from tests.graph.small import answers, inputs


@pytest.fixture
def net() -> Model:
    made = Net(8, 8)
    made.classify(made.conv(made.top, 3, 4), 4)
    return made.model()


def test_logits_are_the_model_itself(net: Model) -> None:
    assert with_head(net, "logits") is net


def test_softmax_gives_probabilities(net: Model) -> None:
    shown = inputs(Graph(net.proto))
    logits = answers(net.proto, shown).astype(np.float64)
    made = with_head(net, "softmax")
    got = answers(made.proto, shown)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert made.output == "probabilities"
    assert np.allclose(got, expected, atol=1e-6)


def test_argmax_is_a_second_output(net: Model) -> None:
    made = with_head(net, "argmax")
    assert made.label
    assert made.proto == net.proto, "the writers add the output"
    proto = with_label(net.proto)
    assert [item.name for item in proto.graph.output] == ["logits", LABEL]
    assert proto.graph.output[1].type.tensor_type.elem_type == TensorProto.INT64
    for shown in inputs(Graph(net.proto)):
        found = Evaluator(proto).run(shown)
        assert found[LABEL].tolist() == [int(found["logits"].argmax())]


@pytest.mark.parametrize("head", HEADS)
def test_the_model_that_was_given_is_not_touched(net: Model, head: str) -> None:
    before = net.proto.SerializeToString(deterministic=True)
    with_head(net, head)
    with_label(net.proto)
    assert net.proto.SerializeToString(deterministic=True) == before
