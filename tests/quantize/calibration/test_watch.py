"""Which images are kept, and what each half of them saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.calibration.watch import watch
from edgenet.quantize.equalization import watched
from edgenet.recipe import Recipe
from tests.conftest import smooth_images

PIXELS = [image[None] for image in smooth_images(20, 0, 64, 64)]
WHOLE = replace(Recipe.load("int8-fast"), rounding_images=8)
HALVES = replace(WHOLE, variants=({"headroom": 0.1},))


def test_the_halves_share_no_image_and_together_saw_all(model: Model) -> None:
    graph = Graph(prepare(model).proto)
    names = watched(graph)
    told: list[int] = []
    found = watch(graph, names, PIXELS, HALVES, told.append)
    assert told == list(range(1, 21))
    even, odd = ({id(item) for item in half} for half in found.images)
    assert (len(even), len(odd), even & odd) == (10, 10, set())
    assert found.halves
    assert [id(item) for item in found.kept()] == [id(item) for item in PIXELS]
    whole = watch(graph, names, PIXELS, WHOLE, told.append).all()
    both, halves = found.all(), [found.half(0), found.half(1)]
    for name in names:
        assert np.array_equal(both[name].high, whole[name].high)
        assert np.array_equal(both[name].high, np.maximum(halves[0][name].high, halves[1][name].high))
    assert any((halves[0][name].high != halves[1][name].high).any() for name in names)


def test_what_is_done_to_a_copy_stays_there(model: Model) -> None:
    graph = Graph(prepare(model).proto)
    found = watch(graph, watched(graph), PIXELS, HALVES, lambda _: None)
    name, seen = next(iter(found.half(0).items()))
    before = seen.high.copy()
    seen.extend(2)
    assert seen.high.tolist() == [*before, 0, 0]
    assert found.half(0)[name].high.tolist() == before.tolist()


def test_few_images_are_no_halves(model: Model) -> None:
    graph = Graph(prepare(model).proto)
    assert not watch(graph, [], PIXELS[:15], HALVES, lambda _: None).halves
    assert watch(graph, [], PIXELS[:16], HALVES, lambda _: None).halves
    assert not watch(graph, [], PIXELS, WHOLE, lambda _: None).halves
