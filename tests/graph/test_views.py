"""Views: the permutations are numpy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgenet.graph.graph import Graph
from edgenet.graph.views import View, Views, inverse, keeps_order
from tests.graph.small import graph, kinds, node

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def small() -> Graph:
    return graph([node("Relu", ["x"], ["y"])], shape=(1, 3, 6, 5))


@given(st.permutations(range(4)), st.lists(st.sampled_from([1, 2, 3]), min_size=4, max_size=4))
def test_an_order_is_kept_where_transposing_moves_no_number(perm: list[int], shape: list[int]) -> None:
    values = np.arange(np.prod(shape)).reshape(shape)
    moved = values.transpose(perm)
    assert keeps_order(shape, perm) == np.array_equal(moved.reshape(-1), values.reshape(-1))
    assert np.array_equal(moved.transpose(inverse(perm)), values)


def test_a_name_stands_for_a_tensor_in_another_order() -> None:
    views = Views(small())
    views.note("a", View("x", TO_NHWC))
    assert views.is_view("a")
    assert not views.is_view("x")
    assert views.shape("a") == (1, 6, 5, 3)
    assert views.of("x") == View("x", (0, 1, 2, 3))


def test_two_orders_that_cancel_cost_nothing() -> None:
    held = small()
    views = Views(held)
    views.note("a", View("x", TO_NHWC))
    assert views.ordered(held.nodes[0], "a", TO_NHWC) == "x"
    assert kinds(held) == {"Relu": 1}


def test_a_tensor_is_transposed_once_for_all_who_need_it() -> None:
    held = small()
    views = Views(held)
    views.note("a", View("x", TO_NHWC))
    first = views.logical(held.nodes[-1], "a")
    assert views.logical(held.nodes[-1], "a") == first
    assert kinds(held) == {"Transpose": 1, "Relu": 1}
    assert held.shape(first) == (1, 6, 5, 3)


def test_a_vector_becomes_channels_by_a_reshape() -> None:
    held = graph(
        [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"]), node("Relu", ["f"], ["y"])]
    )
    views = Views(held)
    assert held.shape(views.ordered(held.nodes[-1], "f", TO_NHWC)) == (1, 3, 1, 1)
    assert kinds(held)["Transpose"] == 0


def test_constants_are_transposed_where_they_stand() -> None:
    held = small()
    held.constants |= {"k": np.arange(3.0), "one": np.ones(1)}
    views = Views(held)
    assert views.ordered(held.nodes[0], "one", TO_NHWC) == "one"
    name = views.ordered(held.nodes[0], "k", TO_NHWC)
    assert held.constants[name].shape == (1, 3, 1, 1)
