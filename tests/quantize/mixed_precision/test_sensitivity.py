"""Which tensors are put together again for each source of noise."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.heads import split_heads
from edgenet.graph.qdq.insert import activations
from edgenet.graph.qparams import Affine
from edgenet.graph.segments import steps
from edgenet.quantize.mixed_precision.sensitivity import _moved, sensitivity
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
    return sensitivity(task, graph, parts, shown, result, {}, 40.0, lambda *_: None).tensors


@pytest.mark.parametrize("kind", ["padded", "heads"])
def test_every_tensor_s_noise_reaches_the_answer(kind: str) -> None:
    model = padded().model() if kind == "padded" else detector("")
    graph = Graph(model.proto)
    split_heads(graph)
    found = measured(graph, images(model, 3))
    assert set(found) == set(activations(graph))
    assert all(value > 0 for value in found.values())


def test_copies_that_are_rounded_at_different_places_add_less_noise() -> None:
    """Two copies half a step apart are rounded to half steps together: a quarter of the noise."""
    values = np.random.default_rng(0).uniform(0.1, 5.9, (1, 2, 64, 64)).astype(np.float32)
    values[:, 1] = values[:, 0]
    affine = Affine(6 / 255, -128)
    powers = [
        float(np.square((_moved(values, affine, shift) - values).mean(axis=1)).mean())
        for shift in (None, np.zeros(2), np.array([0.0, 0.5]))
    ]
    assert powers[0] == powers[1] == pytest.approx(affine.scale**2 / 12, rel=0.05)
    assert powers[2] == pytest.approx(powers[0] / 4, rel=0.05)
    zeros = np.zeros((1, 2, 1, 1), np.float32)
    assert not _moved(zeros, affine, np.array([0.0, 0.5])).any()
