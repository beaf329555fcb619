"""Which operators give no number beyond those that they read."""

from __future__ import annotations

import pytest
from onnx import helper

from edgenet.graph.qdq.movers import is_nearest, moves


@pytest.mark.parametrize(
    ("kind", "how", "wanted"),
    [
        ("Transpose", {"perm": [0, 2, 3, 1]}, True),
        ("Reshape", {}, True),
        ("Resize", {}, True),  # nearest is what ONNX takes where nothing is said
        ("Resize", {"mode": "nearest"}, True),
        ("Resize", {"mode": "linear"}, True),
        ("Resize", {"mode": "cubic"}, False),
        ("MaxPool", {"kernel_shape": [2, 2]}, True),
        ("AveragePool", {"kernel_shape": [2, 2]}, False),
        ("Relu", {}, False),
    ],
)
def test_numbers_that_are_moved_keep_their_scale(kind: str, how: dict[str, object], wanted: bool) -> None:
    assert moves(helper.make_node(kind, ["x"], ["y"], **how)) is wanted


def test_pads_of_another_value_need_a_range() -> None:
    assert moves(helper.make_node("Pad", ["x", "pads"], ["y"]))
    assert not moves(helper.make_node("Pad", ["x", "pads", "value"], ["y"]))


@pytest.mark.parametrize(("mode", "nearest"), [(None, True), ("nearest", True), ("linear", False)])
def test_nearest_is_what_is_meant_where_nothing_is_said(mode: str | None, nearest: bool) -> None:
    how = {} if mode is None else {"mode": mode}
    assert is_nearest(helper.make_node("Resize", ["x"], ["y"], **how)) is nearest
    assert not is_nearest(helper.make_node("Relu", ["x"], ["y"]))
