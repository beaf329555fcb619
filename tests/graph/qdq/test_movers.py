"""Which operators give numbers that they read, and no other."""

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
        ("Resize", {"mode": "linear"}, False),
        ("Relu", {}, False),
    ],
)
def test_numbers_that_are_moved_keep_their_scale(kind: str, how: dict[str, object], wanted: bool) -> None:
    node = helper.make_node(kind, ["x"], ["y"], **how)
    assert moves(node) is wanted
    assert is_nearest(node) is (wanted and kind == "Resize")
