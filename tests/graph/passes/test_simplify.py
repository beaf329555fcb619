"""One form for what exporters spell in many ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.simplify import simplify, strip_softmax
from tests.graph.small import answers, graph, inputs, keeps, kinds, node, random, written

CONV = {"w": random(4, 3, 3, 3), "b": random(4, seed=1)}


def pad(sides: list[int], **options: Any) -> Graph:
    nodes = [node("Pad", ["x", "pads", "value"], ["p"], **options), node("Conv", ["p", "w", "b"], ["y"])]
    return graph(nodes, CONV | {"pads": np.array(sides, np.int64), "value": np.zeros(())})


@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_mean_over_the_picture_is_a_pool(keepdims: int) -> None:
    small = graph(
        [node("ReduceMean", ["x"], ["m"], axes=[-1, 2], keepdims=keepdims), node("Neg", ["m"], ["y"])]
    )
    before = small.copy()
    assert simplify(small) == 1
    assert kinds(small) == {"GlobalAveragePool": 1, "Neg": 1} | ({} if keepdims else {"Flatten": 1})
    keeps(before, small)


def test_axes_may_be_an_input() -> None:
    small = graph([node("ReduceMean", ["x", "axes"], ["y"])], {"axes": np.array([2, 3], np.int64)}, opset=18)
    before = small.copy()
    assert simplify(small) == 1
    keeps(before, small)


def test_an_average_of_the_whole_picture_is_a_global_one() -> None:
    small = graph([node("AveragePool", ["x"], ["y"], kernel_shape=[6, 5])])
    before = small.copy()
    assert simplify(small) == 1
    assert kinds(small) == {"GlobalAveragePool": 1}
    keeps(before, small)


def test_zeros_around_join_the_convolutions_own() -> None:
    small = pad([0, 0, 1, 2, 0, 0, 0, 1])
    before = small.copy()
    assert simplify(small) == 1
    assert kinds(small) == {"Conv": 1}
    keeps(before, small)


def test_every_convolution_has_a_bias() -> None:
    small = graph([node("Conv", ["x", "w"], ["y"])], CONV)
    before = small.copy()
    assert simplify(small) == 1
    assert len(small.nodes[0].input) == 3
    keeps(before, small, 0.0)


@pytest.mark.parametrize(
    "small",
    [
        graph([node("ReduceMean", ["x"], ["y"], axes=[1, 2])]),
        graph([node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3])]),
        graph([node("AveragePool", ["x"], ["y"], kernel_shape=[6, 5], pads=[1, 1, 0, 0], strides=[9, 9])]),
        pad([0, 0, 1, 1, 0, 0, 1, 1], mode="reflect"),
        graph([node("Pad", ["x", "pads"], ["y"])], {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)}),
    ],
    ids=["other axes", "window", "padded", "reflected", "no convolution"],
)
def test_what_means_something_else_is_left_alone(small: Graph) -> None:
    before = written(small)
    assert simplify(small) == 0
    assert written(small) == before


def test_a_last_softmax_is_taken_off_and_no_other() -> None:
    last = graph([node("Flatten", ["x"], ["f"]), node("Softmax", ["f"], ["y"])])
    logits = graph([node("Flatten", ["x"], ["y"])])
    assert strip_softmax(last) == 1
    assert np.array_equal(answers(last.proto(), inputs(logits)), answers(logits.proto(), inputs(logits)))
    for other in (logits, graph([node("Softmax", ["x"], ["s"]), node("Relu", ["s"], ["y"])])):
        before = written(other)
        assert strip_softmax(other) == 0
        assert written(other) == before
