"""Extremes of channels, computed inside the graph, are numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.channel_outputs import channel_outputs
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.equalization import watched


@pytest.mark.parametrize("opset", [13, 18])
def test_they_are_numpy_s(model: Model, opset: int) -> None:
    graph = Graph(prepare(model).proto)
    graph.opset = opset
    names = watched(graph)
    proto, outputs = channel_outputs(graph, names)
    pixels = np.random.default_rng(0).integers(0, 256, graph.shape(graph.input), dtype=np.uint8)
    whole = Evaluator(graph.proto(), names).run(pixels)
    got = Evaluator(proto, [name for item in outputs.values() for name in item.names]).run(pixels)
    assert set(outputs) == set(names)
    for name, item in outputs.items():
        values = whole[name][0]
        if item.low is None:
            assert values.min() >= 0
        else:
            assert np.array_equal(got[item.low].reshape(-1), values.min(axis=(1, 2)))
        assert np.array_equal(got[item.high].reshape(-1), values.max(axis=(1, 2)))
        assert got[item.mean].reshape(-1) == pytest.approx(values.mean(axis=(1, 2)), rel=1e-4, abs=1e-4)


def relu(low: bool) -> Graph:
    """y = Relu(x), or x behind a clip at -1."""
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 9, 9]) for name in "xy"]
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    limits = []
    if low:
        nodes = [helper.make_node("Clip", ["x", "least"], ["y"])]
        limits = [numpy_helper.from_array(np.float32(-1), "least")]
    body = helper.make_graph(nodes, "one", info[:1], info[1:], limits)
    return Graph(helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))


def test_what_may_be_below_zero_has_a_low_end() -> None:
    assert channel_outputs(relu(low=False), ["y"])[1]["y"].low is None
    proto, outputs = channel_outputs(relu(low=True), ["y"])
    values = np.random.default_rng(0).normal(size=(1, 2, 9, 9)).astype(np.float32)
    got = Evaluator(proto, outputs["y"].names).run(values)
    assert outputs["y"].low is not None
    assert np.array_equal(got[outputs["y"].low].reshape(-1), np.maximum(values, -1).min(axis=(0, 2, 3)))


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf])
def test_one_damaged_value_anywhere_is_seen(damage: float) -> None:
    """ONNX Runtime's extremes may pass NaN over."""
    proto, outputs = channel_outputs(relu(low=False), ["x"])
    session = Evaluator(proto, outputs["x"].names)
    values = np.random.default_rng(0).normal(size=(1, 2, 9, 9)).astype(np.float32)
    assert np.isfinite(session.run(values)[outputs["x"].mean]).all()
    values[0, 1, 4, 5] = damage
    assert not np.isfinite(session.run(values)[outputs["x"].mean]).all()
