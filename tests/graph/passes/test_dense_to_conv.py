"""Dense layers become 1x1 convolutions that compute the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.dense_to_conv import dense_to_conv
from tests.graph.small import graph, keeps, kinds, node, random, written

DENSE = {"d": random(3, 4), "t": random(4, 3), "e": random(4, seed=1)}
FULL = {"full": np.array([1, 3, 1, 1], np.int64)}


def pooled(*nodes: Any, weights: dict[str, Any] | None = None) -> Graph:
    """x → GlobalAveragePool → Flatten → f, and what follows."""
    before = [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"])]
    return graph([*before, *nodes], DENSE | (weights or {}))


@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize("kind", ["Gemm", "MatMul"])
def test_a_dense_layer_over_a_picture_is_a_convolution_of_its_size(nhwc: bool, kind: str) -> None:
    """Keras flattens in NHWC: the weights are in that order."""
    turn = [node("Transpose", ["r"], ["t"], perm=[0, 2, 3, 1])] if nhwc else []
    nodes = [
        node("Relu", ["x"], ["r"]),
        *turn,
        node("Flatten", ["t" if nhwc else "r"], ["f"]),
        node(kind, ["f", "d"], ["y"]),
    ]
    net = graph(nodes, {"d": random(90, 4)})
    before = net.copy()
    assert dense_to_conv(net) == 1
    assert kinds(net) == {"Relu": 1, "Conv": 1, "Flatten": 1}
    keeps(before, net)


@pytest.mark.parametrize(
    "dense",
    [
        [node("Gemm", ["f", "d", "e"], ["y"])],
        [node("Gemm", ["f", "t", "e"], ["y"], transB=1)],
        [node("Gemm", ["f", "d", "e"], ["y"], alpha=0.5, beta=2.0)],
        [node("Gemm", ["f", "d"], ["y"])],
        [node("MatMul", ["f", "d"], ["y"])],
        [node("MatMul", ["f", "d"], ["m"]), node("Add", ["e", "m"], ["y"])],
    ],
    ids=["Gemm", "transposed", "scaled", "no bias", "MatMul", "MatMul Add"],
)
def test_every_spelling_is_the_same_convolution(dense: list[Any]) -> None:
    net = pooled(*dense)
    before = net.copy()
    assert dense_to_conv(net) == 1
    assert kinds(net) == {"GlobalAveragePool": 1, "Conv": 1, "Flatten": 1}
    keeps(before, net)


def test_an_activation_between_is_passed() -> None:
    net = pooled(node("Relu", ["f"], ["r"]), node("Gemm", ["r", "d", "e"], ["y"]))
    before = net.copy()
    assert dense_to_conv(net) == 1
    assert kinds(net) == {"GlobalAveragePool": 1, "Relu": 1, "Conv": 1, "Flatten": 1}
    keeps(before, net)


def test_a_flattening_that_a_reshape_undoes_vanishes_and_counts() -> None:
    net = pooled(node("Reshape", ["f", "full"], ["s"]), node("Mul", ["x", "s"], ["y"]), weights=FULL)
    before = net.copy()
    assert dense_to_conv(net) == 1
    assert kinds(net) == {"GlobalAveragePool": 1, "Mul": 1}
    keeps(before, net)


@pytest.mark.parametrize(
    "dense",
    [
        node("Gemm", ["d", "f"], ["y"], transA=1, transB=1),
        node("MatMul", ["f", "z"], ["y"]),
    ],
    ids=["transposed input", "no matrix"],
)
def test_what_is_no_dense_layer_is_left_alone(dense: Any) -> None:
    """Not even the activation before it changes places."""
    other = [node("Flatten", ["x2"], ["w"], axis=1), node("Relu", ["w"], ["q"])]
    net = pooled(
        node("Slice", ["x", "from", "to", "axes"], ["x2"]),
        *other,
        dense,
        weights={
            "z": random(1, 3, 4),
            "from": np.array([0, 0]),
            "to": np.array([1, 3]),
            "axes": np.array([2, 3]),
            "d": random(3, 4),
        },
    )
    before = written(net)
    assert dense_to_conv(net) == 0
    assert written(net) == before
