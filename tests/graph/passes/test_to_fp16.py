"""Half precision: as near to the float network as half a unit of float16 in every step."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from edgenet.errors import UnsupportedError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.to_fp16 import store_fp16, to_fp16
from tests.backends.tflite_graphs import Net
from tests.graph.small import graph, keeps, kinds, node, random, written


def net(gain: float = 1.5) -> Graph:
    made = Net(8, 8)
    made.classify(made.conv(made.top, 3, 4, gain=gain), 4)
    return Graph(made.model().proto)


def test_every_tensor_between_is_half_and_the_scores_are_float() -> None:
    small = net()
    before = small.copy()
    real = sum(value.dtype == np.float32 for value in before.constants.values())
    assert to_fp16(small) == real == 7
    assert {value.dtype for value in small.constants.values()} == {np.dtype(np.float16)}
    assert small.outputs["logits"].type.tensor_type.elem_type == TensorProto.FLOAT
    keeps(before, small, 5e-3)
    hidden = next(item.output[0] for item in small.nodes if item.op_type == "Conv")
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    assert Evaluator(small.proto(), [hidden], optimize=False).run(pixels)[hidden].dtype == np.float16


def test_only_kernels_are_stored_in_half() -> None:
    small = net()
    before = small.copy()
    assert store_fp16(small) == 2
    assert kinds(small)["Cast"] == kinds(before)["Cast"] + 2
    stored = [item for item in small.proto().graph.initializer if item.data_type == TensorProto.FLOAT16]
    assert len(stored) == 2
    keeps(before, small, 2e-3)


def test_a_weight_beyond_float16_is_refused_with_the_node() -> None:
    huge = {"w": random(4, 3, 1, 1) * 1e6}
    for work in (to_fp16, store_fp16):
        with pytest.raises(UnsupportedError, match="Conv 'big' has a weight of .*float16 ends at 65504"):
            work(graph([node("Conv", ["x", "w"], ["y"], name="big")], huge))


def test_a_clip_without_an_upper_end_is_no_weight() -> None:
    small = graph(
        [node("Clip", ["x", "low", "high"], ["y"])], {"low": np.zeros(()), "high": np.array(np.inf)}
    )
    assert to_fp16(small) == 2


def test_a_graph_without_convolutions_stores_nothing() -> None:
    small = graph([node("Relu", ["x"], ["y"])])
    before = written(small)
    assert store_fp16(small) == 0
    assert written(small) == before
