"""Reshapes in a row are one."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.passes.reshapes import merge_reshapes
from tests.graph.small import graph, keeps, kinds, node, written

SHAPES = {
    "one": np.array([1, 90, 1, 1], np.int64),
    "two": np.array([0, -1], np.int64),
    "same": np.array([1, 3, 6, 5], np.int64),
    "axes": np.array([2, 3], np.int64),
}


@pytest.mark.parametrize(
    "chain",
    [
        [("Reshape", "one"), ("Reshape", "two")],
        [("Reshape", "one"), ("Squeeze", "axes")],
        [("Reshape", "two"), ("Unsqueeze", "axes"), ("Flatten", "")],
        [("Reshape", "two"), ("Reshape", "same"), ("Flatten", "")],
    ],
)
def test_what_is_flat_in_the_end_is_flattened_once(chain: list[tuple[str, str]]) -> None:
    nodes, name = [node("Neg", ["x"], ["n"])], "n"
    for number, (kind, shape) in enumerate(chain):
        out = "f" if number == len(chain) - 1 else f"r{number}"
        nodes.append(node(kind, [name, shape] if shape else [name], [out]))
        name = out
    small = graph([*nodes, node("Relu", ["f"], ["y"])], SHAPES)
    before = small.copy()
    assert merge_reshapes(small)
    assert kinds(small) == {"Neg": 1, "Flatten": 1, "Relu": 1}
    keeps(before, small)


def test_there_and_back_is_nothing() -> None:
    nodes = [
        node("Reshape", ["x", "one"], ["r"]),
        node("Reshape", ["r", "same"], ["s"]),
        node("Neg", ["s"], ["y"]),
    ]
    small = graph(nodes, SHAPES)
    before = small.copy()
    assert merge_reshapes(small) == 1
    assert kinds(small) == {"Neg": 1}
    keeps(before, small)


def test_what_others_read_too_stays() -> None:
    nodes = [
        node("Reshape", ["x", "one"], ["r"]),
        node("Reshape", ["r", "two"], ["s"]),
        node("Flatten", ["r"], ["t"]),
        node("Relu", ["r"], ["u"]),
        node("Flatten", ["u"], ["v"]),
        node("Sum", ["s", "t", "v"], ["y"]),
    ]
    small = graph(nodes, SHAPES)
    before = small.copy()
    merge_reshapes(small)
    assert kinds(small)["Reshape"] == 1
    keeps(before, small)


def test_a_flatten_is_left_alone() -> None:
    small = graph([node("Neg", ["x"], ["n"]), node("Flatten", ["n"], ["y"])])
    before = written(small)
    assert merge_reshapes(small) == 0
    assert written(small) == before


def strided(places: np.ndarray) -> tuple[int, dict[str, int]]:
    """Pooling, flattened, and all numbers taken by their places; what is done, and what is left."""
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=1),
        node("Reshape", ["m", "row"], ["r"]),
        node("Gather", ["r", "places"], ["s"], axis=0),
        node("Relu", ["s"], ["y"]),
    ]
    small = graph(nodes, {"row": np.array([-1], np.int64), "places": places})
    before = small.copy()
    done = merge_reshapes(small)
    keeps(before, small)
    return done, kinds(small)


def test_all_numbers_taken_in_their_order_are_no_step() -> None:
    """``as_strided`` of PyTorch's dynamo exporter."""
    in_order = np.arange(3, dtype=np.int64).reshape(1, 3, 1, 1)
    assert strided(in_order) == (2, {"ReduceMean": 1, "Relu": 1})
    for other in (in_order[:, ::-1], in_order[:, :2], in_order * 0):
        assert strided(other) == (0, {"ReduceMean": 1, "Reshape": 1, "Gather": 1, "Relu": 1})
