"""What a graph ends in is taken off where answers are the same without it, and left where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.passes.ending import strip_normalization, strip_softmax
from tests.graph.small import answers, graph, inputs, kinds, node, random, written

SHAPE = (1, 7)


def test_a_last_softmax_is_taken_off_and_no_other() -> None:
    last = graph([node("Flatten", ["x"], ["f"]), node("Softmax", ["f"], ["y"])])
    logits = graph([node("Flatten", ["x"], ["y"])])
    assert strip_softmax(last) == 1
    assert np.array_equal(answers(last.proto(), inputs(logits)), answers(logits.proto(), inputs(logits)))
    for other in (logits, graph([node("Softmax", ["x"], ["s"]), node("Relu", ["s"], ["y"])])):
        before = written(other)
        assert strip_softmax(other) == 0
        assert written(other) == before


# A dense layer gives the vector ``v``; each form brings it to length 1 as an exporter writes that.
FORMS: dict[str, list[NodeProto]] = {
    "LpNormalization": [node("LpNormalization", ["v"], ["y"], p=2, axis=1)],
    "torch's F.normalize": [
        node("ReduceL2", ["v"], ["n"], axes=[1], keepdims=1),
        node("Clip", ["n", "eps"], ["c"]),
        node("Expand", ["c", "shape"], ["e"]),
        node("Div", ["v", "e"], ["y"]),
    ],
    "tf2onnx's l2_normalize": [
        node("Mul", ["v", "v"], ["q"]),
        node("ReduceSum", ["q", "axes"], ["s"], keepdims=1),
        node("Max", ["s", "eps"], ["m"]),
        node("Sqrt", ["m"], ["r"]),
        node("Reciprocal", ["r"], ["i"]),
        node("Mul", ["v", "i"], ["y"]),
    ],
    "v / sqrt(sum(v ** 2))": [
        node("Pow", ["v", "two"], ["q"]),
        node("ReduceSum", ["q", "axes"], ["s"], keepdims=1),
        node("Sqrt", ["s"], ["r"]),
        node("Div", ["v", "r"], ["y"]),
    ],
}
OTHERS: dict[str, list[NodeProto]] = {
    "half the length": [node("LpNormalization", ["v"], ["u"], p=2, axis=1),
                        node("Mul", ["u", "half"], ["y"])],
    "length by the sum": [node("LpNormalization", ["v"], ["y"], p=1, axis=1)],
    "no normalization": [node("Mul", ["v", "half"], ["y"])],
    "a layer behind it": [node("LpNormalization", ["v"], ["u"], p=2, axis=1),
                          node("MatMul", ["u", "w"], ["y"])],
    "centered too": [node("Sub", ["v", "half"], ["d"]), node("LpNormalization", ["d"], ["y"], p=2, axis=1)],
}  # fmt: skip


def network(nodes: list[NodeProto]) -> Graph:
    weights = {
        "w": random(7, 7), "eps": np.array(1e-12), "two": np.array(2.0), "half": np.array(0.5),
        "shape": np.array(SHAPE), "axes": np.array([1]),
    }  # fmt: skip
    return graph([node("MatMul", ["x", "w"], ["v"], name="dense"), *nodes], weights, SHAPE, result=SHAPE)


@pytest.mark.parametrize("form", FORMS)
def test_a_normalization_is_known_by_what_it_does(form: str) -> None:
    small = network(FORMS[form])
    unit = answers(small.proto(), inputs(small))
    assert strip_normalization(small) == 1
    assert kinds(small) == {"MatMul": 1}
    assert small.output == "y", "the output keeps its name"
    vectors = answers(small.proto(), inputs(small))
    np.testing.assert_allclose(unit, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("form", OTHERS)
def test_what_is_no_normalization_alone_stays(form: str) -> None:
    """Of a centered vector only the direction of the difference is left: the Sub is part of the network."""
    small = network(OTHERS[form])
    before = written(small)
    found = strip_normalization(small)
    assert found == (form == "centered too")
    if found:
        assert kinds(small) == {"MatMul": 1, "Sub": 1}
    else:
        assert written(small) == before
