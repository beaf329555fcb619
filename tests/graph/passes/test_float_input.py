"""Pixels become float first, or are taken as float: no value changes."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.float_input import cast_first, float_input
from tests.backends.tflite_graphs import Net
from tests.graph.small import answers, graph, inputs, keeps, node


def net() -> Graph:
    made = Net(6, 5)
    made.classify(made.conv(made.top, 3, 4), 4)
    return Graph(made.model().proto)


def test_the_cast_comes_before_the_transpose() -> None:
    small = net()
    before = small.copy()
    assert cast_first(small) == 2
    assert [item.op_type for item in small.nodes][:2] == ["Cast", "Transpose"]
    keeps(before, small, 0.0)


def test_pixels_may_come_as_floats_of_the_same_value() -> None:
    small = net()
    shown = inputs(small)
    before = answers(small.proto(), shown)
    cast_first(small)
    assert float_input(small) == 1
    entry = small.proto().graph.input[0].type.tensor_type
    assert entry.elem_type == TensorProto.FLOAT
    assert "Cast" not in {item.op_type for item in small.nodes}
    evaluator = Evaluator(small.proto(), optimize=False)
    assert np.array_equal(before, [evaluator.row(item.astype(np.float32)) for item in shown])


def test_a_graph_of_another_form_is_no_prepared_one() -> None:
    other = graph([node("Relu", ["x"], ["y"])])
    with pytest.raises(ValueError, match="not a prepared graph"):
        cast_first(other)
    with pytest.raises(ValueError, match="cast_first was not run"):
        float_input(net())
