"""Batch normalization goes into the convolution before it."""

from __future__ import annotations

import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_batchnorm import fold_batchnorm
from tests.graph.small import graph, keeps, kinds, node, random, written

WEIGHTS = {
    "w": random(4, 3, 3, 3),
    "b": random(4, seed=1),
    "gamma": random(4, seed=2),
    "beta": random(4, seed=3),
    "mean": random(4, seed=4),
    "variance": random(4, seed=5) ** 2,
}
NORM = ["gamma", "beta", "mean", "variance"]


def net(bias: bool = True, reader: bool = False, source: str = "c", **options: float) -> Graph:
    nodes = [
        node("Conv", ["x", "w", "b"][: 3 if bias else 2], ["c"], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        node("BatchNormalization", [source, *NORM], ["n"], **options),
        node("Add", ["n", "r"], ["y"]) if reader else node("Relu", ["n"], ["y"]),
    ]
    return graph(nodes if reader or source == "r" else [nodes[0], *nodes[2:]], WEIGHTS)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("options", [{}, {"epsilon": 0.3}])
def test_the_convolution_does_both(bias: bool, options: dict[str, float]) -> None:
    small = net(bias, **options)
    before = small.copy()
    assert fold_batchnorm(small) == 1
    assert kinds(small) == {"Conv": 1, "Relu": 1}
    keeps(before, small)


def test_one_behind_something_else_or_beside_another_reader_stays() -> None:
    for small in (net(source="r"), net(reader=True)):
        before = written(small)
        assert fold_batchnorm(small) == 0
        assert written(small) == before


def test_weights_that_two_convolutions_share_are_folded_apart() -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("BatchNormalization", ["c", *NORM], ["n"]),
        node("Conv", ["x", "w", "b"], ["d"]),
        node("Add", ["n", "d"], ["y"]),
    ]
    small = graph(nodes, WEIGHTS)
    before = small.copy()
    assert fold_batchnorm(small) == 1
    keeps(before, small)
