"""One form for what exporters spell in many ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.simplify import simplify
from tests.graph.small import graph, keeps, kinds, node, random, written

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


@pytest.mark.parametrize("size", [[1, 3, 6, 5], [1, 3, 12, 5]])
def test_a_resize_to_the_same_size_is_nothing(size: list[int]) -> None:
    nodes = [node("Resize", ["x", "", "", "size"], ["r"], mode="linear"), node("Neg", ["r"], ["y"])]
    small = graph(nodes, {"size": np.array(size, np.int64)})
    before = small.copy()
    assert simplify(small) == (size[2] == 6)
    keeps(before, small)


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_parts_of_a_tensor_are_slices(opset: int) -> None:
    given = {"split": [1, 2]} if opset == 11 else {}
    parts = ["x"] if opset == 11 else ["x", "sizes"]
    nodes = [node("Split", parts, ["p", "q"], axis=-3, **given), node("Concat", ["q", "p"], ["y"], axis=1)]
    small = graph(nodes, {} if opset == 11 else {"sizes": np.array([1, 2], np.int64)}, opset=opset)
    before = small.copy()
    assert simplify(small) == 1
    assert kinds(small) == {"Slice": 2, "Concat": 1}
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
