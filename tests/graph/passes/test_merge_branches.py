"""Sums of branches: one convolution computes the same, borders included."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.graph.graph import Graph
from edgenet.graph.passes.merge_branches import merge_branches
from tests.graph.small import graph, keeps, kinds, node, random, written

SHAPE = (1, 4, 6, 5)


def two(first: dict[str, Any], second: dict[str, Any], taps: tuple[int, int] = (3, 1)) -> Graph:
    """Two convolutions of ``x``, four channels each, and their sum."""
    groups = [options.get("group", 1) for options in (first, second)]
    held = {
        name: random(4, 4 // group, size, size, seed=size)
        for name, group, size in zip("vw", groups, taps, strict=True)
    }
    nodes = [
        node("Conv", ["x", "v", "b"], ["c"], name="large", **first),
        node("Conv", ["x", "w"], ["d"], **second),
        node("Add", ["c", "d"], ["y"]),
    ]
    return graph(nodes, held | {"b": random(4)}, SHAPE)


@pytest.mark.parametrize(
    ("first", "second", "taps"),
    [
        ({"pads": [1] * 4}, {}, (3, 1)),
        ({"pads": [1] * 4, "group": 4}, {"group": 4}, (3, 1)),
        (
            {"pads": [2] * 4, "group": 2, "strides": [2, 2]},
            {"pads": [1] * 4, "group": 2, "strides": [2, 2]},
            (5, 3),
        ),
        ({"pads": [0, 1, 2, 1]}, {"pads": [0, 1, 2, 1]}, (3, 3)),
        ({}, {}, (3, 3)),
    ],
    ids=["full", "depthwise", "strided", "equal", "without pads"],
)
def test_two_convolutions_of_one_tensor(
    first: dict[str, Any], second: dict[str, Any], taps: tuple[int, int]
) -> None:
    small = two(first, second, taps)
    before = small.copy()
    assert merge_branches(small) == 1
    assert kinds(small) == {"Conv": 1}
    assert small.nodes[0].name == "large"
    keeps(before, small)


@pytest.mark.parametrize("group", [1, 2, 4])
def test_a_layer_of_mobileone(group: int) -> None:
    """A normalized copy, a convolution 1x1 and several of 3x3, added one after the other."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Mul", ["r", "s"], ["m"]),
        node("Add", ["m", "o"], ["copy"]),
        node("Conv", ["r", "w", "b"], ["c1"], group=group),
        node("Add", ["copy", "c1"], ["s1"]),
        node("Conv", ["r", "v", "b"], ["c2"], group=group, pads=[1] * 4),
        node("Add", ["c2", "s1"], ["s2"]),
        node("Conv", ["r", "u", "b"], ["c3"], group=group, pads=[1] * 4),
        node("Add", ["s2", "c3"], ["y"]),
    ]
    held = {"s": random(1, 4, 1, 1), "o": random(4, 1, 1, seed=3), "b": random(4)}
    held |= {
        name: random(4, 4 // group, size, size, seed=at)
        for at, (name, size) in enumerate([("w", 1), ("v", 3), ("u", 3)])
    }
    small = graph(nodes, held, SHAPE)
    before = small.copy()
    assert merge_branches(small) == 3
    assert kinds(small) == {"Relu": 1, "Conv": 1}
    keeps(before, small)


@pytest.mark.parametrize(
    ("first", "second", "taps"),
    [
        ({"pads": [0, 0, 2, 2]}, {}, (3, 1)),
        ({"pads": [1] * 4, "group": 4}, {}, (3, 1)),
        ({"pads": [2] * 4, "dilations": [2, 2]}, {}, (3, 1)),
        ({"auto_pad": "SAME_UPPER"}, {}, (3, 1)),
        ({"pads": [1, 1, 0, 0]}, {}, (2, 1)),
    ],
    ids=["other middle", "other groups", "dilated", "automatic pads", "no middle"],
)
def test_other_windows_stay_two(first: dict[str, Any], second: dict[str, Any], taps: tuple[int, int]) -> None:
    small = two(first, second, taps)
    before = written(small)
    assert merge_branches(small) == 0
    assert written(small) == before


def test_a_residual_is_no_copy_to_be_merged() -> None:
    """Nor is a branch that others read too."""
    plain = graph(
        [node("Conv", ["x", "w"], ["c"]), node("Add", ["x", "c"], ["y"])], {"w": random(4, 4, 1, 1)}, SHAPE
    )
    assert merge_branches(plain) == 0
    shared = [
        node("Conv", ["x", "w"], ["c"]),
        node("Conv", ["x", "v"], ["d"]),
        node("Add", ["c", "d"], ["s"]),
        node("Mul", ["s", "d"], ["y"]),
    ]
    small = graph(shared, {"w": random(4, 4, 1, 1), "v": random(4, 4, 1, 1)}, SHAPE)
    assert merge_branches(small) == 0


@settings(max_examples=60)
@given(
    st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 3, 5]),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 2),
    st.lists(st.integers(0, 1), min_size=4, max_size=4),
)
def test_any_two_with_one_middle(one: int, other: int, group: int, stride: int, more: list[int]) -> None:
    how = [
        {"pads": [taps // 2 + side for side in more], "group": group, "strides": [stride] * 2}
        for taps in (one, other)
    ]
    small = two(how[0], how[1], (one, other))
    before = small.copy()
    assert merge_branches(small) == 1
    keeps(before, small)
