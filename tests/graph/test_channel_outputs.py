"""Extremes and samples of channels, computed inside the graph, are numpy's."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from onnx import TensorProto, helper

from edgenet.graph.channel_outputs import channel_outputs
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.prepare import prepare
from edgenet.graph.view import Graph
from edgenet.model import Model
from edgenet.quantize.channelwise import watched


@pytest.mark.parametrize("opset", [13, 18])
def test_they_are_numpy_s(model: Model, opset: int) -> None:
    graph = Graph(prepare(model).proto)
    graph.opset = opset
    names = watched(graph)
    proto, outputs = channel_outputs(graph, names, 20)
    pixels = np.random.default_rng(0).integers(0, 256, graph.shape(graph.input), dtype=np.uint8)
    whole = Evaluator(graph.proto(), names).run(pixels)
    wanted = [name for item in outputs.values() for name in astuple(item)]
    got = Evaluator(proto, wanted).run(pixels)
    assert set(outputs) == set(names)
    for name, item in outputs.items():
        flat = whole[name].reshape(whole[name].shape[1], -1)
        assert np.array_equal(got[item.low], flat.min(axis=1))
        assert np.array_equal(got[item.high], flat.max(axis=1))
        assert got[item.total] == pytest.approx(flat.sum(), rel=1e-4)
        assert np.array_equal(got[item.sample], flat[:, :: max(1, flat.shape[1] // 20)])


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf])
def test_one_damaged_value_anywhere_is_seen(damage: float) -> None:
    """ReduceMin and ReduceMax of ONNX Runtime pass NaN over, and a sample may miss it."""
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 9, 9]) for name in "xy"]
    body = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", info[:1], info[1:])
    other = helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    proto, outputs = channel_outputs(Graph(other), ["x"], 4)
    session = Evaluator(proto, list(astuple(outputs["x"])))
    values = np.random.default_rng(0).normal(size=(1, 2, 9, 9)).astype(np.float32)
    assert np.isfinite(session.run(values)[outputs["x"].total])
    values[0, 1, 4, 5] = damage
    assert not np.isfinite(session.run(values)[outputs["x"].total])
