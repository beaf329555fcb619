"""Which tensors are put together again for each source of noise."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.heads import split_heads
from edgenet.graph.qdq.insert import activations
from edgenet.graph.segments import steps
from edgenet.quantize.mixed_precision.sensitivity import sensitivity
from edgenet.quantize.rounding.layerwise import reconstruct
from edgenet.recipe import Recipe
from tests.backends.tflite_graphs import Net, images
from tests.graph.passes.test_heads import detector


def padded() -> Net:
    """A padded map that two layers read: it is no step of its own."""
    net = Net(16, 16)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[1, 1, 1, 1])
    wide = net.node("Pad", top, net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)))
    sides = [net.conv(wide, 8, 8, kernel=3, group=group) for group in (8, 1)]
    net.classify(net.node("Add", *sides), 8)
    return net


def measured(graph: Graph, shown: list[np.ndarray]) -> dict[str, float]:
    class Squares:
        outputs = ("logits",)

        def comparable(self, values: np.ndarray, _: str) -> np.ndarray:
            return values

        def divergence(self, wanted: np.ndarray):
            return lambda got: float(np.square(got - wanted).mean())

    task, recipe = Squares(), Recipe.load("int8-fast")
    names = activations(graph)
    parts = steps(graph, names)
    result = reconstruct(task, graph, parts, shown, recipe, {}, {}, lambda *_: None)
    return sensitivity(task, graph, parts, shown, result, 40.0, lambda *_: None).tensors


@pytest.mark.parametrize("kind", ["padded", "heads"])
def test_every_tensor_s_noise_reaches_the_answer(kind: str) -> None:
    model = padded().model() if kind == "padded" else detector("")
    graph = Graph(model.proto)
    split_heads(graph)
    found = measured(graph, images(model, 3))
    assert set(found) == set(activations(graph))
    assert all(value > 0 for value in found.values())
