"""Factors that trade noise of channels against that of weights: against brute force, and in a network."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.progress import silent
from edgenet.quantize import network_fit, noise_tradeoff
from edgenet.quantize.calibration.curvature import channel_curvature
from edgenet.quantize.calibration.image_stream import Feed
from edgenet.quantize.calibration.watch import watch
from edgenet.quantize.equalization import EqualizationResult, equalize_channels, watched
from edgenet.quantize.network_fit import NetworkFit
from edgenet.quantize.noise_tradeoff import Reader, trade_noise, traded
from edgenet.quantize.result import Stopwatch
from edgenet.recipe import Recipe
from tests.conftest import smooth_images

PIXELS = [image[None] for image in smooth_images(16, 4, 64, 64)]
LEAST = np.full(3, 0.05)


def noise(own: np.ndarray, readers: list[Reader], factors: np.ndarray) -> float:
    """The formula of the module's docstring, written once more."""
    total = float((own / factors**2).sum())
    for item in readers:
        for row, weight in zip(item.weights, item.rows, strict=True):
            total += weight * (row / factors).max() ** 2 * float((item.variance * factors**2).sum())
    return total


def drawn(seed: int, readers: int = 1) -> tuple[np.ndarray, list[Reader]]:
    """Three channels of different noise, and kernels of four rows that read them."""
    generator = np.random.default_rng(seed)
    made = [
        Reader(
            generator.uniform(0, 1, (4, 3)) ** 4,
            generator.uniform(0, 1, 4),
            generator.uniform(0, 2, 3),
        )
        for _ in range(readers)
    ]
    return generator.uniform(0, 1, 3) ** 6, made


@given(st.integers(0, 2**32), st.integers(1, 2))
@example(14440841, 1)  # with 40 rounds of descent 7 % off
def test_no_factors_of_a_grid_are_better(seed: int, readers: int) -> None:
    own, made = drawn(seed, readers)
    found = traded(own, made, LEAST)
    tried = np.geomspace(0.05, 1, 14)
    best = min(noise(own, made, np.array(factors)) for factors in product(tried, repeat=3))
    assert noise(own, made, found) <= 1.05 * best
    assert (found >= LEAST * (1 - 1e-9)).all()
    assert (found <= 1).all()


def test_one_channel_whose_weights_are_small_gives_way() -> None:
    """Weights a tenth of the largest of their rows, and no noise of its own: a tenth of the range."""
    reader = Reader(np.array([[1.0, 0.1, 1.0], [2.0, 0.2, 2.0]]), np.ones(2), np.ones(3))
    assert traded(np.array([9.0, 0.0, 9.0]), [reader], LEAST) == pytest.approx([1, 0.1, 1], rel=0.02)


def test_nothing_to_gain_is_nothing_to_do() -> None:
    reader = Reader(np.full((2, 3), 0.5), np.zeros(2), np.ones(3))
    assert traded(np.ones(3), [reader], LEAST).tolist() == [1, 1, 1]


def test_a_channel_stays_above_its_least() -> None:
    reader = Reader(np.array([[1.0, 1e-3, 1e-3]]), np.ones(1), np.ones(3))
    found = traded(np.array([1.0, 0.0, 0.0]), [reader], np.array([0.05, 0.5, 0.9]))
    assert found == pytest.approx([1, 0.5, 0.9])


def shaped(model: Model, **changes: object) -> tuple[Graph, Graph, EqualizationResult, list[str]]:
    """The prepared graph of a model, the same with channels equalized, and what was done."""
    plain = Graph(prepare(model).proto)
    graph, recipe = plain.copy(), replace(Recipe.load("int8-fast"), **changes)
    names = [name for name in watched(graph) if len(graph.shape(name)) == 4]
    seen = watch(graph, names, Feed(PIXELS), recipe, lambda _: None).all()
    known = channel_curvature(model.task, graph, names, PIXELS)
    return plain, graph, equalize_channels(graph, seen, recipe, known), names


@pytest.mark.parametrize("traded_too", [False, True])
def test_curvature_follows_the_channels(model: Model, traded_too: bool) -> None:
    """What was measured before is what is measured after: the draws are the same, but for few pixels."""
    _, graph, result, names = shaped(model)
    assert result.equalized
    if traded_too:
        assert trade_noise(graph, PIXELS, result, 0.02)
    again = channel_curvature(model.task, graph, names, PIXELS)
    for name in names:
        assert result.curvature[name] == pytest.approx(again[name], rel=0.1, abs=1e-3 * again[name].max())


def test_the_network_computes_what_it_computed(model: Model) -> None:
    plain, graph, result, _ = shaped(model)
    before = [graph.constants[node.input[1]] for node in graph.nodes if node.op_type == "Conv"]
    assert trade_noise(graph, PIXELS, result, 0.02) > 0
    after = [graph.constants[node.input[1]] for node in graph.nodes if node.op_type == "Conv"]
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    wanted, got = ([Evaluator(item.proto()).row(px) for px in PIXELS] for item in (plain, graph))
    assert np.abs(np.subtract(wanted, got)).max() < 1e-3 * np.ptp(wanted)


def test_no_limit_of_a_relu6_rises(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that became smaller would be cut off later than the float network cuts it off."""
    monkeypatch.setattr(noise_tradeoff, "traded", lambda own, readers, least: least)
    plain, graph, result, names = shaped(model)
    equalized = graph.copy()
    trade_noise(graph, PIXELS, result, 0.02)
    compared = 0
    clips = [name for name in names if (maker := plain.producer(name)) and maker.op_type == "Clip"]
    runs = [Evaluator(item.proto(), clips) for item in (plain, equalized, graph)]
    for pixels in PIXELS:
        old, between, new = (run.run(pixels) for run in runs)
        for name in clips:
            if old[name].shape == new[name].shape and name not in result.shifts:
                tops = [values[name].max(axis=(0, 2, 3)) for values in (old, between, new)]
                same = (tops[0] > 0.01) & (tops[1] >= tops[0] * (1 - 1e-4))  # not a copy of another
                assert (tops[2] >= tops[0] * (1 - 1e-3))[same].all()
                compared += int((tops[2] < tops[1] * 0.99)[same].sum())
    assert compared, "no channel gave way"


@pytest.mark.parametrize("on", [True, False])
def test_the_recipe_decides(model: Model, on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(network_fit, "trade_noise", lambda *_: called.append(True))
    graph, recipe = Graph(prepare(model).proto), replace(Recipe.load("int8-fast"), trade_noise=on)
    seen = watch(graph, watched(graph), Feed(PIXELS), recipe, lambda _: None).all()
    NetworkFit(model.task, recipe, graph, silent, Stopwatch()).shape(seen, PIXELS)
    assert bool(called) is on
