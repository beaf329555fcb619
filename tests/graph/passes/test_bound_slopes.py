"""Slopes of PRelu come between -1 and 1, and the network computes what it computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.bound_slopes import bound_slopes
from tests.graph.small import graph, keeps, kinds, node, written

RNG = np.random.default_rng(3)
STEEP = np.array([-4.0, -1.0, -0.3, 0.0, 1.0, 1.5, 3.0, 0.2])


def conv(outputs: int, inputs: int, taps: int, group: int = 1) -> np.ndarray:
    return RNG.normal(0, 0.5, (outputs, inputs // group, taps, taps))


def between(*middle: Any, slopes: np.ndarray = STEEP, group: int = 1, last: int = 4) -> Graph:
    """Conv → PRelu → what is between, from "p" to "q" → Conv."""
    weights = {
        "w": conv(8, 3, 3), "b": RNG.normal(0, 1, 8), "s": slopes,
        "v": conv(8 if group > 1 else last, 8, 1, group), "c": RNG.normal(0, 1, 8 if group > 1 else last),
    }  # fmt: skip
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], pads=[1, 1, 1, 1]),
        node("PRelu", ["a", "s"], ["p"]),
        *middle,
        node("Conv", ["q" if middle else "p", "v", "c"], ["y"], group=group),
    ]
    return graph(nodes, weights)


@pytest.mark.parametrize(
    "middle",
    [
        [],
        [node("GlobalAveragePool", ["p"], ["q"])],
        [node("AveragePool", ["p"], ["q"], kernel_shape=[2, 2], pads=[1, 0, 0, 0])],
    ],
    ids=["nothing", "the average", "averages"],
)
@pytest.mark.parametrize("group", [1, 8])
def test_steep_slopes_go_into_the_convolutions(middle: list[Any], group: int) -> None:
    before = between(*middle, slopes=STEEP.reshape(8, 1, 1), group=group)
    after = before.copy()
    assert bound_slopes(after) == 1
    keeps(before, after)
    (slopes,) = (after.constant(item.input[1]) for item in after.nodes if item.op_type == "PRelu")
    assert slopes is not None
    assert np.abs(slopes).max() <= 1.0
    assert bound_slopes(after) == 0, "a second time nothing is left"


def test_one_slope_for_all_channels_and_several_readers() -> None:
    weights = {
        "w": conv(8, 3, 1), "b": np.zeros(8), "s": np.array([[[-2.0]]]),
        "v": conv(4, 8, 1), "c": np.zeros(4), "u": conv(4, 8, 1),
    }  # fmt: skip
    before = graph(
        [
            node("Conv", ["x", "w", "b"], ["a"]),
            node("PRelu", ["a", "s"], ["p"]),
            node("Conv", ["p", "v", "c"], ["q"]),
            node("Conv", ["p", "u", "c"], ["r"]),
            node("Add", ["q", "r"], ["y"]),
        ],
        weights,
    )
    after = before.copy()
    assert bound_slopes(after) == 1
    keeps(before, after)


@pytest.mark.parametrize(
    "middle",
    [
        [node("MaxPool", ["p"], ["q"], kernel_shape=[2, 2])],
        [node("Relu", ["p"], ["q"])],
        [node("Add", ["p", "a"], ["q"])],
        [node("Pad", ["p", "pads", "five"], ["q"])],
    ],
    ids=["maxima", "relu", "a sum", "a border of fives"],
)
def test_what_is_not_linear_behind_it_leaves_it_alone(middle: list[Any]) -> None:
    small = between(*middle, slopes=STEEP.reshape(8, 1, 1))
    small.add_constant("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    small.add_constant("five", np.array(5, np.float32))
    before = written(small)
    assert bound_slopes(small) == 0
    assert written(small) == before


def test_slopes_by_the_pixel_and_gentle_ones_are_left_alone() -> None:
    for slopes in (RNG.normal(0, 3, (8, 6, 5)), np.linspace(-1, 1, 8).reshape(8, 1, 1)):
        small = between(slopes=slopes)
        assert bound_slopes(small) == 0
        assert kinds(small)["PRelu"] == 1
