"""Extremes and samples of channels, computed inside the graph, are numpy's."""

from __future__ import annotations

import numpy as np
import pytest

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
    wanted = [name for item in outputs.values() for name in (item.low, item.high, item.sample)]
    got = Evaluator(proto, wanted).run(pixels)
    assert set(outputs) == set(names)
    for name, item in outputs.items():
        flat = whole[name].reshape(whole[name].shape[1], -1)
        assert np.array_equal(got[item.low], flat.min(axis=1))
        assert np.array_equal(got[item.high], flat.max(axis=1))
        assert np.array_equal(got[item.sample], flat[:, :: max(1, flat.shape[1] // 20)])
