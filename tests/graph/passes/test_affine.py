"""Scales and offsets by constants: Mul and Add, then part of the layers beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.affine import fold_affines, name_affines
from tests.graph.small import graph, keeps, kinds, node, random, written

CONV = {"w": random(4, 3, 3, 3), "b": random(4, seed=1)}
NORM = {"g": random(4) + 3, "o": random(4, seed=1), "m": random(4, seed=2), "v": random(4, seed=3) ** 2 + 0.1}


def behind(kind: str, operands: dict[str, Any], order: tuple[str, ...], **options: Any) -> Graph:
    """Relu → the operator → Sigmoid."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node(kind, list(order), ["a"], name="it", **options),
        node("Sigmoid", ["a"], ["y"]),
    ]
    return graph(nodes, operands)


@pytest.mark.parametrize(
    ("small", "wanted"),
    [
        (behind("Sub", {"k": random(3, 1, 1)}, ("r", "k")), ["Add"]),
        (behind("Sub", {"k": random(1, 3, 1, 1)}, ("k", "r")), ["Mul", "Add"]),
        (behind("Div", {"k": random(3, 1, 1) + 4}, ("r", "k")), ["Mul"]),
        (behind("Neg", {}, ("r",)), ["Mul"]),
    ],
    ids=["minus a constant", "a constant minus", "by a constant", "negative"],
)
def test_there_are_products_and_sums_only(small: Graph, wanted: list[str]) -> None:
    before = small.copy()
    assert name_affines(small) == 1
    assert [item.op_type for item in small.nodes] == ["Relu", *wanted, "Sigmoid"]
    assert small.nodes[-2].name == "it"
    keeps(before, small)


def test_a_constant_over_the_picture_stays_a_division() -> None:
    small = behind("Div", {"k": random(3, 1, 1) + 4}, ("k", "r"))
    assert name_affines(small) == 0
    assert kinds(small)["Div"] == 1


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5])
def test_batch_normalization_behind_an_activation_is_a_product_and_a_sum(epsilon: float) -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("Relu", ["c"], ["r"]),
        node("BatchNormalization", ["r", "g", "o", "m", "v"], ["y"], epsilon=epsilon),
    ]
    small = graph(nodes, CONV | NORM)
    before = small.copy()
    assert name_affines(small) == 1
    assert kinds(small) == {"Conv": 1, "Relu": 1, "Mul": 1, "Add": 1}
    keeps(before, small)


@pytest.mark.parametrize(("kind", "value"), [("Mul", 1.0), ("Add", 0.0)])
def test_times_one_and_plus_zero_vanish(kind: str, value: float) -> None:
    small = behind(kind, {"k": np.full((1, 3, 1, 1), value)}, ("k", "r"))
    before = small.copy()
    assert name_affines(small) == 1
    assert kinds(small) == {"Relu": 1, "Sigmoid": 1}
    keeps(before, small)


def test_plus_zero_that_widens_stays() -> None:
    small = behind("Add", {"k": np.zeros((2, 3, 1, 1))}, ("k", "r"))
    assert name_affines(small) == 0


@pytest.mark.parametrize("kind", ["Mul", "Add"])
@pytest.mark.parametrize("shape", [(), (1,), (4, 1, 1), (1, 4, 1, 1)])
def test_what_follows_a_convolution_goes_into_it(kind: str, shape: tuple[int, ...]) -> None:
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1] * 4), node(kind, ["k", "c"], ["y"])]
    small = graph(nodes, CONV | {"k": random(*shape)})
    before = small.copy()
    assert fold_affines(small) == 1
    assert kinds(small) == {"Conv": 1}
    keeps(before, small)


@pytest.mark.parametrize("transposed", [0, 1])
def test_what_follows_a_dense_layer_goes_into_it(transposed: int) -> None:
    held = {"d": random(4, 90) if transposed else random(90, 4), "e": random(4)}
    nodes = [
        node("Flatten", ["x"], ["f"]),
        node("Gemm", ["f", "d", "e"], ["h"], transB=transposed),
        node("BatchNormalization", ["h", "g", "o", "m", "v"], ["y"]),
    ]
    small = graph(nodes, held | NORM)
    before = small.copy()
    assert name_affines(small) == 1
    assert fold_affines(small) == 2
    assert kinds(small) == {"Flatten": 1, "Gemm": 1}
    keeps(before, small)


def test_what_follows_a_flattened_convolution_goes_into_it() -> None:
    nodes = [
        node("GlobalAveragePool", ["x"], ["p"]),
        node("Conv", ["p", "w", "b"], ["c"]),
        node("Flatten", ["c"], ["f"]),
        node("Mul", ["f", "k"], ["y"]),
    ]
    small = graph(nodes, {"w": random(4, 3, 1, 1), "b": random(4), "k": random(4)})
    before = small.copy()
    assert fold_affines(small) == 1
    keeps(before, small)


@pytest.mark.parametrize("group", [1, 2, 4])
def test_what_stands_before_a_convolution_goes_into_it(group: int) -> None:
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Mul", ["r", "k"], ["m"]),
        node("Add", ["m", "l"], ["a"]),
        node("Conv", ["a", "w", "b"], ["y"], group=group),
    ]
    held = {
        "w": random(8, 4 // group, 3, 3),
        "b": random(8),
        "k": random(4, 1, 1),
        "l": random(4, 1, 1, seed=5),
    }
    small = graph(nodes, held, (1, 4, 6, 5))
    before = small.copy()
    assert fold_affines(small) == 2
    assert kinds(small) == {"Relu": 1, "Conv": 1}
    keeps(before, small)


def test_a_sum_before_a_padding_convolution_stays() -> None:
    """A padded zero is no offset."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Add", ["r", "l"], ["a"]),
        node("Conv", ["a", "w", "b"], ["y"], pads=[1] * 4),
    ]
    small = graph(nodes, CONV | {"l": random(3, 1, 1)})
    before = written(small)
    assert fold_affines(small) == 0
    assert written(small) == before


@pytest.mark.parametrize("shape", [(5,), (6, 1), (1, 3, 6, 5), (2, 3, 1, 1)])
def test_a_constant_along_other_axes_stays(shape: tuple[int, ...]) -> None:
    nodes = [node("Conv", ["x", "w", "b"], ["c"], pads=[1] * 4), node("Mul", ["c", "k"], ["y"])]
    small = graph(nodes, {"w": random(3, 3, 3, 3), "b": random(3), "k": random(*shape)})
    assert fold_affines(small) == 0


def test_a_convolution_that_others_read_too_is_left_alone() -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("Mul", ["c", "k"], ["m"]),
        node("Add", ["c", "m"], ["y"]),
    ]
    small = graph(nodes, CONV | {"k": random(4, 1, 1)})
    assert fold_affines(small) == 0
