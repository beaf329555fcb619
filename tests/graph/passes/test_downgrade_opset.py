"""Operator set 13 is declared only where the graph means the same in it."""

from __future__ import annotations

import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.downgrade_opset import OPSET, downgrade_opset
from tests.graph.small import graph, keeps, node, random, written


def net(kind: str, opset: int, **options: float) -> Graph:
    nodes = [node("Conv", ["x", "w"], ["c"]), node(kind, ["c"], ["y"], **options)]
    return graph(nodes, {"w": random(4, 3, 1, 1)}, opset=opset)


@pytest.mark.parametrize("opset", [13, 14, 18, 21])
def test_a_graph_of_plain_operators_is_one_of_set_13(opset: int) -> None:
    small = net("Relu", opset)
    before = small.copy()
    assert downgrade_opset(small) == 1
    assert small.proto().opset_import[0].version == OPSET == 13
    keeps(before, small)


@pytest.mark.parametrize(
    ("kind", "opset"), [("HardSwish", 14), ("Gelu", 20), ("Mish", 18), ("LeakyRelu", 16)]
)
def test_an_operator_that_is_not_known_to_be_the_same_keeps_the_graphs_own(kind: str, opset: int) -> None:
    """Set 13 lacks the first three; it has LeakyRelu, but nobody looked whether it is the same."""
    small = net(kind, opset)
    before = written(small)
    assert downgrade_opset(small) == 0
    assert written(small) == before
