"""Variants of a recipe: tried on one half of the images, judged on the other, the best one followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgenet.errors import LibraryError, ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.onnxruntime import int8_outputs
from edgenet.json_value import Where
from edgenet.library import Table
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.quantize.result import Quantization
from edgenet.quantize.variants import best_variant, told
from edgenet.recipe import Recipe
from tests.conftest import smooth_images

PIXELS = [image[None] for image in smooth_images(24, 0, 64, 64)]
PLACE = Where("a file", "account", ModelError, "make it again")
FAST = replace(Recipe.load("int8-fast"), rounding_images=24, positions=64, sweeps=2)

NAMED = {"name": "", "summary": "", "memory_mb": 0}


def test_the_nearest_to_the_float_network_is_followed() -> None:
    recipe = replace(FAST, variants=({"headroom": 0.1}, {"headroom": 0.2, "sweeps": 1}))
    asked: list[str] = []

    def judged(one: Recipe, words: str) -> Mapping[str, Any]:
        asked.append(words)
        return {"divergence": abs(one.headroom - 0.1), "images": 12, "agreement": 1.0}

    chosen, tried = best_variant(recipe, judged)
    assert asked == [f"variant {place} of 3, " for place in (1, 2, 3)]
    assert (chosen.headroom, chosen.sweeps, chosen.variants) == (0.1, 2, ())
    assert tried[0].words == "headroom = 0.1"
    assert "on 12 images left out, best was headroom = 0.1" in told(tried)
    assert "headroom = 0.2, sweeps = 1" in told(tried)


def test_what_is_made_is_what_the_best_variant_alone_makes(model: Model) -> None:
    """A variant that spoils the ranges loses, and its trial leaves nothing behind."""
    prepared = prepare(model)
    plain, _ = quantize(prepared, FAST, PIXELS)
    varied = replace(FAST, variants=({"headroom": 4.0, "quiet_headroom": 4.0},))
    made, account = quantize(prepared, varied, PIXELS)
    assert [item["variant"] for item in account.variants] == [
        "the recipe as it is",
        "headroom = 4.0, quiet_headroom = 4.0",
    ]
    divergences = [item["divergence"] for item in account.variants]
    assert divergences == sorted(divergences)
    assert account.variants[0]["images"] == 12
    assert any("images left out" in note for note in account.notes)
    assert made.proto.SerializeToString() == plain.proto.SerializeToString()
    table = account.to_table()
    assert Quantization.from_table(table, PLACE).to_table() == table


def test_with_few_images_the_recipe_is_followed_as_it_is(model: Model) -> None:
    made, account = quantize(prepare(model), replace(FAST, variants=({"headroom": 4.0},)), PIXELS[:12])
    plain, _ = quantize(prepare(model), FAST, PIXELS[:12])
    assert account.variants == ()
    assert "too few calibration images to choose between the variants of the recipe" in account.notes
    assert made.proto.SerializeToString() == plain.proto.SerializeToString()


@pytest.mark.parametrize(
    ("variants", "what"),
    [
        ([{"rounding": "nearest"}], "rounding cannot vary"),
        ([{"headroom": -1}], "headroom = -1 is negative"),
        ([{"headroom": "much"}], "headroom"),
        ([{"equalize": "none"}], "trade_noise works on channels that fill the range"),
        (["headroom"], "is not a list of tables"),
        ([{}], "is not a list of tables"),
        ({"headroom": 1}, "variants"),
    ],
)
def test_a_wrong_variant_is_refused(variants: Any, what: str) -> None:
    values = {**FAST.to_table(), "variants": variants}
    with pytest.raises(LibraryError, match=what):
        Recipe.from_table(Table(values, "mine.toml"))


def test_a_recipe_with_variants_reads_its_own_table() -> None:
    recipe = Recipe.load("int8-accurate")
    assert len(recipe.variants) > 1
    assert Recipe.from_table(Table(recipe.to_table(), "again")) == recipe
    fast = Recipe.load("int8-fast")
    own = recipe.varied(recipe.variants[-1])
    assert {**own.to_table(), **NAMED} == {**fast.to_table(), **NAMED}


def test_answers_of_a_recipe_with_float_scores_are_not_rounded(model: Model) -> None:
    prepared, rows = prepare(model), []
    for scores in ("divergence", "float"):
        made, _ = quantize(prepared, replace(FAST, scores=scores), PIXELS)
        session, last = Evaluator(made.proto), Graph(made.proto)
        assert (int8_outputs(last) is None) == (scores == "float")
        rows.append(np.stack([session.row(item) for item in PIXELS]))
    truth = Evaluator(prepared.proto)
    exact = np.stack([truth.row(item) for item in PIXELS])
    errors = [float(np.square(item - exact).mean()) for item in rows]
    assert errors[1] < errors[0]
