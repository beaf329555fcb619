"""A whole mean: pixels are their own int8 values, and inside the picture nothing changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.integer_mean import integer_mean
from tests.backends.tflite_graphs import Net
from tests.graph.small import graph, keeps, node, written


def net(mean: Any, **options: Any) -> Graph:
    made = Net(6, 6, mean=mean)
    made.classify(made.conv(made.top, 3, 4, **options), 4)
    return Graph(made.model().proto)


@pytest.mark.parametrize(
    ("mean", "whole"), [(127.5, 128), (103.7, 104), ((100.4, 100.1, 99.8), 100), (127.0, 127)]
)
def test_the_rest_goes_into_the_bias(mean: Any, whole: int) -> None:
    small = net(mean)
    before = small.copy()
    found = integer_mean(small)
    assert (found.zero_point, found.changes) == (whole, 1)
    centered = small.sole_consumer("pixels/float")
    assert centered is not None
    assert np.unique(small.constants[centered.input[1]]).tolist() == [-whole]
    keeps(before, small)


def test_at_a_padded_border_half_a_grey_level_is_the_most() -> None:
    small = net(127.5, pads=[1, 1, 1, 1])
    before = small.copy()
    integer_mean(small)
    keeps(before, small, 0.02)


def test_means_that_differ_keep_their_add() -> None:
    small = net((123.675, 116.28, 103.53))
    before = written(small)
    found = integer_mean(small)
    assert (found.zero_point, found.changes) == (None, 0)
    assert written(small) == before


def test_without_a_mean_there_is_nothing_to_do() -> None:
    small = net(0)
    before = written(small)
    found = integer_mean(small)
    assert (found.zero_point, found.changes) == (0, 0)
    assert written(small) == before


def test_a_graph_that_is_not_prepared_is_none() -> None:
    with pytest.raises(ValueError, match="not a prepared graph"):
        integer_mean(graph([node("Relu", ["x"], ["y"])]))
