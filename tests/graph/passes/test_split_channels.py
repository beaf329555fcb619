"""Dead channels carry copies of live ones, and the network stays what it was."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.split_channels import add_channels, depthwise_chains, split_into_dead
from tests.graph.small import graph, keeps, node, random


def net(reader: bool = False) -> Graph:
    """Conv → Relu → depthwise → Relu → Conv; channels 1 and 3 never leave zero."""
    weights = {
        "w": random(4, 3, 1, 1),
        "b": random(4, seed=1),
        "d": random(4, 1, 3, 3, seed=2),
        "e": random(4, seed=3) + 1,
        "m": random(5, 4, 1, 1, seed=4),
        "n": random(5, seed=5),
    }
    for channel in (1, 3):
        weights["d"][channel] = 0
        weights["e"][channel] = -1
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("Relu", ["c"], ["r"]),
        node("Conv", ["r", "d", "e"], ["f"], group=4, pads=[1, 1, 1, 1]),
        node("Relu", ["f"], ["g"]),
        node("Conv", ["g", "m", "n"], ["z" if reader else "y"]),
    ]
    more = [node("GlobalAveragePool", ["g"], ["q"]), node("Concat", ["z1", "q"], ["y"], axis=1)]
    return graph([*nodes, node("GlobalAveragePool", ["z"], ["z1"]), *more] if reader else nodes, weights)


DEAD = np.array([False, True, False, True])


def test_a_channels_own_path_is_found() -> None:
    (chain,) = depthwise_chains(net())
    assert (chain.inner, chain.outer, chain.filters.output[0]) == ("r", "g", "f")
    assert depthwise_chains(net(reader=True)) == [], "somebody else reads the channels"


@pytest.mark.parametrize(
    ("noise", "source", "shift"),
    [
        ([9.0, 0.0, 1.0, 0.0], [0, 0, 2, 0], [0, 1 / 3, 0, 2 / 3]),
        ([5.0, 0.0, 4.0, 0.0], [0, 0, 2, 2], [0, 0.5, 0, 0.5]),
        ([0.0, 0.0, 0.0, 0.0], [0, 1, 2, 3], [0, 0, 0, 0]),
    ],
)
def test_the_noisiest_is_copied_and_the_answers_stay(
    noise: list[float], source: list[int], shift: list[float]
) -> None:
    small = net()
    before = small.copy()
    (chain,) = depthwise_chains(small)
    made = split_into_dead(small, chain, DEAD, np.array(noise))
    assert made.source.tolist() == source
    assert made.shift == pytest.approx(shift)
    keeps(before, small)
    for conv in (chain.enter, chain.filters):
        kernel = small.constants[conv.input[1]]
        assert np.array_equal(kernel, kernel[source]), "the copies are the channel they copy"


def test_where_nothing_is_dead_nothing_changes() -> None:
    small = net()
    before = small.copy()
    (chain,) = depthwise_chains(small)
    made = split_into_dead(small, chain, np.zeros(4, bool), np.ones(4))
    assert made.source.tolist() == [0, 1, 2, 3]
    keeps(before, small, 0.0)


def test_more_channels_carry_copies_and_the_answers_stay() -> None:
    small = net()
    before = small.copy()
    (chain,) = depthwise_chains(small)
    assert add_channels(small, chain, 3) == 7
    keeps(before, small, 0.0)
    (chain,) = depthwise_chains(small)
    dead = np.array([*DEAD, True, True, True])
    made = split_into_dead(small, chain, dead, np.array([9.0, 0, 1, 0, 0, 0, 0]))
    assert made.source.tolist() == [0, 0, 2, 0, 0, 2, 0], "a fourth of 9 / 3^2 is followed by one of 1"
    keeps(before, small)
    assert {small.shape(name)[1] for name in ("c", "r", "f", "g")} == {7}
    assert [len(small.constants[name]) for name in chain.filters.input[1:]] == [7, 7]
