"""Calls in an order in which they can be made."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgenet.importers.keras_network.architecture import Ref
from edgenet.importers.keras_network.order import in_order


@given(st.data())
def test_every_call_comes_after_those_that_it_takes(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 30))
    places = data.draw(st.permutations(range(count)))  # call at places[k] may take those before it
    taken = {places[0]: set()} | {
        places[at]: data.draw(st.sets(st.sampled_from(places[:at]), max_size=3)) for at in range(1, count)
    }
    calls = [(Ref(str(number)), {Ref(str(other)) for other in taken[number]}) for number in range(count)]
    order = in_order(calls)
    assert sorted(order) == list(range(count))
    assert all(order.index(other) < order.index(number) for number in taken for other in taken[number])


def test_the_given_order_is_kept_where_it_can_be() -> None:
    a, b, c = Ref("a"), Ref("b"), Ref("c")
    assert in_order([(a, set()), (b, {a}), (c, set())]) == [0, 1, 2]
    assert in_order([(a, {c}), (b, set()), (c, set())]) == [1, 2, 0]


def test_a_ring_and_what_waits_for_it_are_left_out() -> None:
    a, b, c, d = (Ref(name) for name in "abcd")
    assert in_order([(a, {b}), (b, {a}), (c, {b}), (d, set())]) == [3]
