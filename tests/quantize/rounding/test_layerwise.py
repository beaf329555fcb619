"""Ranges of tensors of which the layer-by-layer work may keep few images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.quantize.calibration.calibrate import calibrate
from edgenet.quantize.calibration.ranges import affine
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from tests.backends.tflite_graphs import images, v2_like

PLAIN = Recipe("test", "", observer="min-max", rounding="second-order", adapt=0.0)
TIGHT = replace(PLAIN, memory_mb=1e-3)  # one image a step


def ranges_of_sums(recipe: Recipe) -> list[list[float]]:
    model = prepare(v2_like())
    layers = quantize(model, recipe, images(v2_like(), 12))[1].layers
    return [layer["range"] for layer in layers if layer["op"] == "Add"]


def test_they_come_from_a_float_run_over_the_images_that_are_asked_for() -> None:
    graph = Graph(prepare(v2_like()).proto)
    sums = [
        node.output[0] for node in graph.nodes if node.op_type == "Add" and "pixels" not in node.output[0]
    ]
    seen = calibrate(graph, images(v2_like(), 12), "min-max", names=sums).ranges
    expected = [[affine(*seen[name]).low, affine(*seen[name]).high] for name in sums]
    found = [item for item in ranges_of_sums(replace(TIGHT, observe_images=12)) if item]
    assert len(expected) == 2
    for one, other in zip(found[-2:], expected, strict=True):
        assert one == pytest.approx(other, abs=2e-3)
    assert found != ranges_of_sums(TIGHT), "one image shows less"


def test_where_memory_has_room_the_int8_run_decides() -> None:
    assert ranges_of_sums(replace(PLAIN, observe_images=12)) == ranges_of_sums(PLAIN)
