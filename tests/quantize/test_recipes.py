"""The recipes that ship: they load, they keep accuracy, they give the same bytes, they stay within memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgenet.backend import load_backend
from edgenet.errors import DataError, LibraryError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.library import names
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.quantize.rounding.compute_budget import plan_compute
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.verify.host import run_artifact
from edgenet.verify.reference import Reference
from tests.conftest import smooth_images

PIXELS = [image[None] for image in smooth_images(16, 0, 64, 64)]
QUICK = replace(Recipe.load("int8-fast"), rounding_images=8, positions=64, sweeps=2)


@pytest.mark.parametrize("name", [name for name in names("recipe") if name != "fp16"])
def test_every_recipe_quantizes_and_stays_near_min_max(name: str, model: Model) -> None:
    """Random weights and sixteen images: nothing to win here, nothing to lose either."""
    recipe = replace(Recipe.load(name), rounding_images=8, sweeps=2)
    prepared = prepare(model)
    exact = Evaluator(prepared.proto)
    judged = [image[None] for image in smooth_images(10, 77, 64, 64)]
    truth = np.stack([exact.row(item) for item in judged])
    errors = []
    for how in (recipe, replace(Recipe.load("int8-minmax"), granularity=recipe.granularity)):
        session = Evaluator(quantize(prepared, how, PIXELS)[0].proto)
        errors.append(float(np.square(np.stack([session.row(item) for item in judged]) - truth).mean()))
    assert errors[0] <= errors[1] * 1.5
    assert recipe.to_table()["name"] == name


def test_the_account_says_what_was_done(model: Model) -> None:
    told: list[tuple[str, int, int | None]] = []
    account = quantize(prepare(model), QUICK, PIXELS, lambda *item: told.append(item))[1]
    assert [item["pass"] for item in account.passes] == [
        "min-max, nearest",
        "+ channels shaped",
        "+ layer by layer",
    ]
    assert account.passes[-1]["divergence"] < account.passes[0]["divergence"] * 1.5
    assert {"calibrate", "shape", "round", "compare"} == set(account.stages)
    assert account.images == 16
    assert [note.partition(":")[0] for note in account.notes] == ["only 16 calibration images"]
    assert all({"name", "op", "range", "sqnr_db"} <= set(layer) for layer in account.layers)
    assert not {"seconds", "peak_mb", "stages"} & set(account.facts()), "nothing that changes between runs"
    assert ("calibrating (images)", 16, 16) in told
    assert ("rounding weights (layers)", len(account.layers), len(account.layers)) in told


def test_same_inputs_same_bytes(model: Model) -> None:
    first, second = (
        quantize(prepare(model), QUICK, iter(PIXELS))[0].proto.SerializeToString(deterministic=True)
        for _ in "ab"
    )
    assert first == second


def test_memory_does_not_decide_the_function(model: Model) -> None:
    """Images that join late see the same int8 layers: nothing changes much."""
    tight = quantize(prepare(model), replace(QUICK, memory_mb=0.3), PIXELS)[0]
    wide = quantize(prepare(model), replace(QUICK, memory_mb=1000), PIXELS)[0]
    for item in PIXELS[:4]:
        a, b = (Evaluator(each.proto).row(item) for each in (tight, wide))
        assert np.corrcoef(a, b)[0, 1] > 0.99


def test_seconds_buy_images_first(model: Model) -> None:
    graph = Graph(prepare(model).proto)
    free = plan_compute(graph, replace(QUICK, rounding_images=100), 100)
    assert free == (100, QUICK.sweeps)
    some = plan_compute(graph, replace(QUICK, rounding_images=100, seconds=0.05), 100)
    assert 8 <= some[0] < 100
    assert plan_compute(graph, replace(QUICK, seconds=1e-6), 100) == (8, 1)


def test_flat_images_are_refused(model: Model) -> None:
    with pytest.raises(DataError, match="flat color"):
        quantize(prepare(model), QUICK, [np.zeros((1, 64, 64, 3), np.uint8)] * 9)


def test_nan_is_named(model: Model) -> None:
    prepared = prepare(model)
    graph = Graph(prepared.proto)
    conv = [node for node in graph.nodes if node.op_type == "Conv"][-1]
    huge = graph.constants[conv.input[1]].copy()
    huge[:] = 3e38
    graph.set_input(conv, 1, graph.add_constant("huge", huge))
    with pytest.raises(DataError, match=rf"{conv.name}.* NaN or infinity"):
        quantize(prepared.with_proto(graph.proto()), QUICK, PIXELS)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('rounding = "up"', "nearest or second-order"),
        ("adapt = 2", "0 to 1"),
        ("sweeps = -1", "negative"),
        ("damping = 0.0", "positive"),
        ("paired = true", "second-order"),
        ('equalize = "some"', "none or range or weights"),
    ],
)
def test_a_wrong_value_is_named(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'name = "mine"\nsummary = ""\nobserver = "min-max"\ngranularity = "per-channel"\n{line}\n'
    )
    with pytest.raises(LibraryError, match=message):
        Recipe.load(str(path))


def agreement(shared: Path, name: str, folder: str, recipe: Recipe, judged: int, backend: str) -> float:
    model = Model.load(shared / "data" / "models" / f"{name}.onnx")
    calibration = ImageSet.load(shared / "data" / folder / "calib").head(48)
    images = ImageSet.load(shared / "data" / folder / "val").head(judged)
    pixels = [images.pixels(index, model.preprocessing) for index in range(len(images))]
    feed = [calibration.pixels(index, model.preprocessing) for index in range(len(calibration))]
    lowering = load_backend(backend)
    artifact = lowering.lower(quantize(prepare(model), recipe, feed)[0], Target.load("local"))
    got = run_artifact(lowering.name, artifact.file, artifact.data, [item[0] for item in pixels])
    truth = Reference(model.proto, model.preprocessing, model.task)
    return float(
        np.mean([truth.run(item).argmax() == row.argmax() for item, row in zip(pixels, got, strict=True)])
    )


@pytest.mark.shared
def test_v1_025_keeps_its_answers(shared: Path) -> None:
    """On all of val, with all of calib: 94 %; plain min-max 73 %."""
    recipe = replace(Recipe.load("int8-fast"), rounding_images=48)
    assert agreement(shared, "mobilenet_v1_025_224", "imagenet", recipe, 150, "tflite") >= 0.87


@pytest.mark.shared
def test_v2_flowers_keeps_its_answers(shared: Path) -> None:
    """Its channels are best left alone, which is for the recipe to find out."""
    recipe = replace(Recipe.load("int8-accurate"), rounding_images=32, sweeps=4)
    assert agreement(shared, "mobilenet_v2_035_224_flowers5", "flowers", recipe, 100, "onnxruntime") >= 0.95


@pytest.mark.shared
def test_one_scale_a_kernel_still_works(shared: Path) -> None:
    """Plain per-tensor weights leave 0.5 % of the answers standing."""
    recipe = replace(Recipe.load("int8-per-tensor"), rounding_images=32)
    assert agreement(shared, "mobilenet_v1_025_224", "imagenet", recipe, 150, "tflite") >= 0.70


MEASURE = """
import sys
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet, Skipped
from edgenet.model import Model
from edgenet.quantize.result import peak_mb
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
before = peak_mb()
model = Model.load(sys.argv[1])
images = Skipped(ImageSet.load(sys.argv[2]).head(int(sys.argv[3])), model.preprocessing, 5)
account = quantize(prepare(model), Recipe.load("int8-fast"), images)[1]
print(account.peak_mb - before)
"""


@pytest.mark.shared
def test_memory_is_constant(shared: Path) -> None:
    """Four times as many images, the same peak: in a process of its own, above its imports."""
    peaks = []
    for count in (16, 64):
        arguments = [
            shared / "data/models/mobilenet_v1_025_224.onnx",
            shared / "data/imagenet/calib",
            str(count),
        ]
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True
        )
        peaks.append(float(done.stdout))
    assert peaks[1] < peaks[0] + 80
    assert peaks[1] < 300
