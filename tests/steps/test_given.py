"""Models that ONNX Runtime's quantizer made, compiled with their own scales: no calibration, no recipe."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgenet.backend import load_backend
from edgenet.bundle import Bundle
from edgenet.cli.main import cli
from edgenet.errors import ModelError, PlanError
from edgenet.graph.evaluate import Evaluator
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.decide import decide
from edgenet.steps.deploy import deploy
from edgenet.steps.parity import parity
from edgenet.steps.plan import options
from edgenet.steps.profile import profile
from edgenet.steps.quantize import quantize_model
from edgenet.steps.source import read_source
from edgenet.target import Target
from edgenet.verify.host import run_bundle
from edgenet.verify.reference import Reference
from edgenet.zoo import embedded

IMAGES = 16


@dataclass(frozen=True)
class Way:
    """How ``quantize_static`` is called."""

    form: QuantFormat
    activations: QuantType
    weights: QuantType
    per_channel: bool
    symmetric: bool = False
    folded: bool = True


QDQ, OPERATORS, S8, U8 = QuantFormat.QDQ, QuantFormat.QOperator, QuantType.QInt8, QuantType.QUInt8
WAYS = {
    "s8s8": Way(QDQ, S8, S8, True),
    "u8s8": Way(QDQ, U8, S8, True),
    "s8s8 a scale a kernel": Way(QDQ, S8, S8, False),
    "s8s8 symmetric": Way(QDQ, S8, S8, True, symmetric=True),
    "batch normalization between": Way(QDQ, U8, S8, True, folded=False),
    "operators s8s8": Way(OPERATORS, S8, S8, True),
    "operators u8s8": Way(OPERATORS, U8, S8, True),
}
ASYMMETRIC = {"u8u8": Way(QDQ, U8, U8, False), "operators u8u8": Way(OPERATORS, U8, U8, False)}


class Feeds(CalibrationDataReader):
    """Calibration images as the float model takes them."""

    def __init__(self, model: Model, images: ImageSet) -> None:
        reference = Reference(model.proto, model.preprocessing, model.task)
        entry = model.proto.graph.input[0].name
        self._feeds: Iterator[dict[str, np.ndarray]] = (
            {entry: reference.feed(images.pixels(index, model.preprocessing))} for index in range(IMAGES)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[override]
        return next(self._feeds, None)


def quantized_file(source: Path, images: ImageSet, way: Way, folder: Path) -> Path:
    """The model quantized by ONNX Runtime, its card beside it."""
    float_file, made = folder / "float.onnx", folder / "given.onnx"
    if way.folded:
        quant_pre_process(str(source), str(float_file), skip_symbolic_shape=True)
    else:
        shutil.copy(source, float_file)
    quantize_static(
        str(float_file),
        str(made),
        Feeds(Model.load(source), images),
        quant_format=way.form,
        activation_type=way.activations,
        weight_type=way.weights,
        per_channel=way.per_channel,
        extra_options={"ActivationSymmetric": way.symmetric},
    )
    made.with_suffix(".toml").write_text(source.with_suffix(".toml").read_text())
    return made


def users(model: Model, pixels: list[np.ndarray], bundle: Bundle) -> np.ndarray:
    """int8 scores of the user's own Q/DQ graph, as ONNX Runtime runs it with its int8 kernels."""
    reference = Reference(model.proto, model.preprocessing, model.task)
    session, how = Evaluator(model.proto), bundle.manifest.artifact.output
    real = np.stack([session.row(reference.feed(item)) for item in pixels])
    assert how.scale is not None
    return np.asarray(np.rint(real / how.scale) + (how.zero_point or 0), int)


@pytest.fixture(scope="module")
def signs() -> tuple[ImageSet, ImageSet]:
    return ImageSet.load(image_folder("signs", "calib")), ImageSet.load(image_folder("signs", "val"))


@pytest.fixture(scope="module")
def given(signs: tuple[ImageSet, ImageSet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantized_file(embedded(), signs[0], WAYS["u8s8"], tmp_path_factory.mktemp("given"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_artifacts_are_the_users_graph_to_the_last_step(
    way: Way, signs: tuple[ImageSet, ImageSet], tmp_path: Path
) -> None:
    path = quantized_file(embedded(), signs[0], way, tmp_path)
    made = {name: compile(path, "raspberry-pi-4", name).bundle for name in ("onnxruntime", "tflite")}
    model = read_source(path)
    assert isinstance(model, Model)
    pixels = [signs[1].pixels(index, model.preprocessing) for index in range(40)]
    expected = users(model, pixels, made["onnxruntime"])
    for bundle in made.values():
        found = run_bundle(bundle, [item[0] for item in pixels]).astype(int)
        assert np.abs(found - expected).max() <= (0 if way.folded else 1)
        assert (found == expected).mean() > 0.95
    same = parity(made["onnxruntime"], made["tflite"])
    assert (same.identical, same.parts) == (1.0, None)
    assert same.layers >= 28


@pytest.mark.parametrize("way", ASYMMETRIC.values(), ids=ASYMMETRIC)
def test_asymmetric_weights_run_where_they_can(
    way: Way, signs: tuple[ImageSet, ImageSet], tmp_path: Path
) -> None:
    path = quantized_file(embedded(), signs[0], way, tmp_path)
    model = read_source(path)
    assert isinstance(model, Model)
    pixels = [signs[1].pixels(index, model.preprocessing) for index in range(40)]
    for backend in ("onnxruntime", "tflite"):
        bundle = compile(path, "raspberry-pi-4", backend).bundle
        found = run_bundle(bundle, [item[0] for item in pixels]).astype(int)
        np.testing.assert_array_equal(found, users(model, pixels, bundle))
    with pytest.raises(ModelError, match=r"Conv 'stem/conv.*zero point.*backend=.onnxruntime."):
        compile(path, "jetson-orin-nano", "tensorrt")


def test_symmetric_scales_are_tensorrts(signs: tuple[ImageSet, ImageSet], tmp_path: Path) -> None:
    """Its graph in float on this machine, beside the user's in float: the same to a step of the scores."""
    path = quantized_file(embedded(), signs[0], WAYS["s8s8 symmetric"], tmp_path)
    made = compile(path, "jetson-orin-nano", "tensorrt")
    step = compile(path, "raspberry-pi-4", "onnxruntime").bundle.manifest.artifact.output.scale
    assert step is not None
    model = read_source(path)
    assert isinstance(model, Model)
    reference = Reference(model.proto, model.preprocessing, model.task)
    pixels = [signs[1].pixels(index, model.preprocessing) for index in range(40)]
    apart = run_bundle(made.bundle, [item[0] for item in pixels]) - np.stack(list(map(reference.run, pixels)))
    assert np.abs(apart).max() < 1.01 * step
    assert (np.abs(apart) < 0.01 * step).mean() > 0.9


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "folder", "way"),
    [
        *(("mobilenet_v2_035_224_flowers5", "flowers", way) for way in WAYS),
        *(("mobilenet_v1_025_224", "imagenet", way) for way in ("u8s8", "operators s8s8")),
    ],
)
def test_real_models_are_the_users_graph_too(
    name: str, folder: str, way: str, shared: Path, tmp_path: Path
) -> None:
    """To the last step, where the user's graph runs the kernels that it runs on the board, signed and fused.

    Else a sum in the middle between two steps goes the other way somewhere, and the layers behind make more
    of it: the user's own graph in float and in int8 is further apart.
    """
    how, data = WAYS[way], shared / "data"
    sets = [ImageSet.load(data / folder / part) for part in ("calib", "val")]
    path = quantized_file(data / "models" / f"{name}.onnx", sets[0], how, tmp_path)
    made = [compile(path, "raspberry-pi-4", item).bundle for item in ("onnxruntime", "tflite")]
    model = read_source(path)
    assert isinstance(model, Model)
    pixels = [sets[1].pixels(index, model.preprocessing) for index in range(16)]
    expected = users(model, pixels, made[0])
    found = [run_bundle(bundle, [item[0] for item in pixels]).astype(int) for bundle in made]
    if how.folded:
        np.testing.assert_array_equal(found[0], found[1])
    if how.folded and how.activations == S8:
        np.testing.assert_array_equal(found[0], expected)
    for one, other in ((found[0], found[1]), (found[0], expected)):
        assert (one == other).mean() > 0.75
        assert np.abs(one - other).max() <= 10


def test_the_bundle_tells_what_it_is_held_to(given: Path) -> None:
    made = compile(given, "raspberry-pi-4", "tflite")
    manifest = made.bundle.manifest
    assert (manifest.precision, made.plan.recipe, made.quantized) == ("int8", None, None)
    assert (manifest.recipe, manifest.calibration, manifest.quantization) == (None, None, None)
    assert manifest.reference.precision == "int8"
    assert (manifest.golden.source, manifest.conversion.agreement) == ("synthetic", 1.0)
    reference = onnx.load_model_from_string(made.bundle.reference)
    assert "QuantizeLinear" in {node.op_type for node in reference.graph.node}
    assert compile(given, "raspberry-pi-4", "tflite").data == made.data


def test_images_only_make_the_golden_set(given: Path) -> None:
    plain, shown = (compile(given, "raspberry-pi-4", "tflite", calibration=item) for item in (None, "signs"))
    assert shown.bundle.manifest.golden.source == "calibration"
    assert shown.bundle.artifact == plain.bundle.artifact


def test_the_plan_is_int8_without_a_recipe(given: Path) -> None:
    for model in (given, str(given), read_source(given)):
        plan = decide(model, "raspberry-pi-4").plan
        assert (plan.precision, plan.recipe) == ("int8", None)
        assert "with its own scales" in plan.why[-1]
    assert decide(given, "jetson-orin-nano", "tensorrt").plan.precision == "int8"  # not its default fp16
    for precision in ("fp32", "fp16", "int8-dynamic"):
        with pytest.raises(PlanError, match=f"int8 already.*{precision} would need its float weights"):
            decide(given, "raspberry-pi-4", precision=precision)
    with pytest.raises(PlanError, match="nothing is left for a recipe"):
        decide(given, "raspberry-pi-4", recipe="int8-fast")
    with pytest.raises(PlanError, match="nothing is left for a recipe"):
        compile(given, "raspberry-pi-4", max_drift=1.0)
    with pytest.raises(PlanError, match="no int8"):
        compile(given, "jetson-nano", "tensorrt")


def test_options_are_int8_alone(given: Path) -> None:
    found = options(Target.load("raspberry-pi-4"), Model.load(given))
    assert {item.precision for item in found if item.possible} == {"int8"}
    assert all("int8 already" in item.why for item in found if item.precision != "int8")


def test_the_cache_of_golden_sets_serves_it(given: Path) -> None:
    one, two = (compile(given, "raspberry-pi-4", "onnxruntime", cache=cache) for cache in (True, False))
    assert one.data == two.data


def test_quantize_refuses_it_and_says_where_it_goes(given: Path) -> None:
    with pytest.raises(ModelError, match="given comes quantized.*give it to edgenet compile as it is"):
        quantize_model(given, calibration="signs")


def test_dynamic_quantization_asks_for_the_float_model(tmp_path: Path) -> None:
    path = tmp_path / "given.onnx"
    quantize_dynamic(str(embedded()), str(path), weight_type=QuantType.QUInt8)
    path.with_suffix(".toml").write_text(embedded().with_suffix(".toml").read_text())
    with pytest.raises(ModelError, match=r"DynamicQuantizeLinear '.*while it runs.*give the float model"):
        compile(path, "raspberry-pi-4", "onnxruntime")


def test_the_command_line_takes_it(given: Path, tmp_path: Path) -> None:
    out = tmp_path / "given.edgenet"
    run = CliRunner().invoke(
        cli, ["compile", str(given), "--target", "raspberry-pi-4", "--json", "-o", str(out)]
    )
    assert run.exit_code == 0, run.output
    document: dict[str, Any] = json.loads(run.stdout)
    assert (document["precision"], document["quantization"]) == ("int8", None)
    assert document["reference"]["precision"] == "int8"
    dry = CliRunner().invoke(cli, ["compile", str(given), "--target", "raspberry-pi-4", "--dry-run"])
    assert "int8" in dry.stdout
    assert "recipe" not in dry.stdout
    assert CliRunner().invoke(cli, ["inspect", str(given)]).exit_code == 0
    assert CliRunner().invoke(cli, ["targets", "raspberry-pi-4", "--model", str(given)]).exit_code == 0


def test_it_goes_to_a_board_and_its_layers_are_the_users(given: Path, home: Path) -> None:
    bundle = compile(given, "local", "tflite").bundle
    deploy(bundle, "local")
    report = profile(bundle, "local", Protocol("short", "s", 0.02, 0.05, 5, 5.0, 1, True, 0.0, layers_s=0.8))
    assert report.drift.stages.kernel.identical
    found = {row.node: row for row in report.layers or () if row.node}
    assert "stem/conv" in found
    assert not any("QuantizeLinear" in str(name) for name in found)
    told = [row.sqnr_db for row in found.values() if row.sqnr_db is not None]
    assert len(told) > 20
    assert min(told) > 25  # its own graph's values, but for roundings


def test_a_float_model_is_held_to_fp32(model: Model, photos: Path) -> None:
    """Its bundle's bytes are what they were before there was another reference."""
    made = compile(model, "local", "tflite", "int8", "int8-minmax", photos)
    assert made.bundle.manifest.reference.precision == "fp32"
    with zipfile.ZipFile(io.BytesIO(made.data)) as bundle:
        assert json.loads(bundle.read("manifest.json"))["reference"] == {"file": "reference.onnx"}


def test_backends_do_not_move_its_scales(given: Path) -> None:
    """The scales of the file's activations are those of the artifact, but for the pixels'."""
    proto = onnx.load(given)
    values = {item.name: onnx.numpy_helper.to_array(item) for item in proto.graph.initializer}
    own = {float(values[node.input[1]]) for node in proto.graph.node if node.op_type == "QuantizeLinear"}
    artifact = compile(given, "raspberry-pi-4", "onnxruntime").bundle.artifact
    taps = load_backend("onnxruntime").taps(artifact, (), ())
    found = {tap.scale for tap in taps}
    assert len(found) > 3
    assert found - {1.0} <= own
