"""Logits behind a removed Softmax: the same probabilities, a mean of zero."""

from __future__ import annotations

import numpy as np

from edgenet.graph.graph import Graph
from edgenet.graph.passes.center_logits import center_logits
from tests.graph.small import answers, graph, inputs, node, random, written

WEIGHTS = {"w": random(4, 3, 1, 1) + 2, "b": random(4) + 5}


def head(*between: str, bias: bool = True) -> Graph:
    """Conv → operators → Flatten."""
    nodes = [node("Conv", ["x", "w", "b"][: 3 if bias else 2], ["c"])]
    last = "c"
    for kind in between:
        nodes.append(node(kind, [last], [last + "p"]))
        last += "p"
    return graph([*nodes, node("Flatten", [last], ["y"])], WEIGHTS)


def test_the_mean_over_the_classes_is_gone_and_nothing_else() -> None:
    net = head("GlobalAveragePool")
    before = answers(net.proto(), inputs(net))
    assert center_logits(net) == 1
    after = answers(net.proto(), inputs(net))
    assert np.abs(after.mean(axis=1)).max() < 1e-5
    assert np.abs(before.mean(axis=1)).min() > 1
    assert np.allclose(after, before - before.mean(axis=1, keepdims=True), atol=1e-5)


def test_a_second_time_nothing_changes() -> None:
    net = head("GlobalAveragePool")
    center_logits(net)
    before = answers(net.proto(), inputs(net))
    center_logits(net)
    assert np.allclose(answers(net.proto(), inputs(net)), before, atol=1e-5)


def test_what_a_sum_does_not_pass_is_left_alone() -> None:
    for net in (head("Relu", "GlobalAveragePool"), head("GlobalAveragePool", bias=False)):
        before = written(net)
        assert center_logits(net) == 0
        assert written(net) == before


def test_scores_that_somebody_else_reads_too_are_left_alone() -> None:
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"]),
        node("GlobalAveragePool", ["c"], ["p"]),
        node("Relu", ["c"], ["r"]),
        node("Flatten", ["p"], ["y"]),
    ]
    net = graph(nodes, WEIGHTS)
    before = written(net)
    assert center_logits(net) == 0
    assert written(net) == before
