"""Quantizing once: a file of its own, the same bundles from it, and no trust in what is read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from edgenet.errors import EdgenetError, LibraryError, ModelError, PlanError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.quantize.container import FACTS, FILE
from edgenet.quantize.quantized import Quantized
from edgenet.recipe import Recipe
from edgenet.steps.compile import compile
from edgenet.steps.decide import decide
from edgenet.steps.quantize import quantize_model
from tests.backends.test_onnxruntime_graph import target_of
from tests.conftest import CHEAP

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def made(model: Model, photos: Path) -> Quantized:
    return quantize_model(model, CHEAP, photos, cache=False)


@pytest.fixture(scope="module")
def file(made: Quantized, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("quantized") / "tiny.int8.onnx")


@pytest.mark.parametrize("head", ["logits", "argmax"])
@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_a_bundle_is_the_same_from_the_float_model_the_value_and_the_file(
    model: Model, photos: Path, made: Quantized, file: Path, backend: str, head: str
) -> None:
    direct = compile(model, "local", backend, "int8", CHEAP, photos, head=head, cache=False)
    assert compile(made, "local", backend, head=head).data == direct.data
    again = compile(file, "local", backend, head=head)
    assert again.data == direct.data
    assert again.quantization.seconds == pytest.approx(made.account.seconds, abs=1e-3)  # type: ignore[union-attr]


def test_weights_are_paired_for_a_processor_without_vnni(model: Model, photos: Path) -> None:
    """By compile itself, or by a recipe that says so; of other files slower kernels run, which is said."""
    quick = replace(Recipe.load("int8-fast"), rounding_images=4, positions=32, sweeps=1)
    how, told = (target_of("u8x8"), "onnxruntime"), {}
    for recipe in (quick, replace(quick, paired=True)):
        direct = compile(model, *how, "int8", recipe, photos, cache=False)
        file = compile(quantize_model(model, recipe, photos, cache=False), *how)
        assert direct.bundle.manifest.recipe["paired"] is True  # type: ignore[index]
        assert (file.data == direct.data) is recipe.paired
        told[recipe.paired] = [line for line in file.plan.why if "could saturate" in line]
    assert (len(told[False]), told[True]) == (1, [])


def test_a_board_that_finishes_its_build_gets_the_same_graphs(model: Model, photos: Path, file: Path) -> None:
    how = ("jetson-orin-nano", "tensorrt")
    direct = compile(model, *how, "int8", CHEAP, photos, cache=False)
    assert direct.plan.built == "device"
    assert compile(file, *how).data == direct.data


@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_int8_weights_alone_need_no_images_and_travel_too(model: Model, tmp_path: Path, backend: str) -> None:
    recipe = tmp_path / "weights.toml"
    recipe.write_text(
        'name = "weights"\nsummary = "no images"\nprecision = "int8-dynamic"\nrounding = "nearest"\n'
    )
    file = quantize_model(model, str(recipe)).write(tmp_path / "weights.int8.onnx")
    direct = compile(model, "local", backend, recipe=str(recipe), cache=False)
    assert direct.bundle.manifest.precision == "int8-dynamic"
    assert direct.bundle.manifest.calibration is None
    assert compile(file, "local", backend).data == direct.data


def test_the_file_is_onnx_for_every_tool(file: Path, made: Quantized) -> None:
    """The checker takes it, and ONNX Runtime gives the float model's answers on the golden images."""
    proto = onnx.load(file)
    onnx.checker.check_model(proto)
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in proto.graph.node}
    session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    scores = np.concatenate([session.run(None, {"pixels": item[None]})[0] for item in made.golden.pixels])
    wanted = made.golden.reference
    assert np.abs(scores - wanted).max() <= 0.2 * np.ptp(wanted)


def test_a_file_holds_all_that_was_known(made: Quantized, file: Path) -> None:
    read = Quantized.load(file)
    assert read.to_bytes() == file.read_bytes()
    assert read.original.digest == made.original.digest
    assert read.recipe == made.recipe
    assert read.account.facts() == json.loads(json.dumps(made.account.facts()))
    assert read.to_table() == json.loads(json.dumps(made.to_table()))


def test_a_file_of_another_name_is_known_by_what_it_holds(
    made: Quantized, tmp_path: Path, model: Model, photos: Path
) -> None:
    file = made.write(tmp_path / "renamed.onnx")
    direct = compile(model, "local", "tflite", "int8", CHEAP, photos)
    assert compile(file, "local", "tflite").data == direct.data
    with pytest.raises(PlanError, match=r"tiny was quantized to int8, not fp32"):
        compile(file, "local", "tflite", "fp32")


def test_what_is_behind_a_quantized_model_is_refused_unless_it_is_the_same(
    file: Path, photos: Path, tmp_path: Path
) -> None:
    same = compile(file, "local", "tflite", "int8", CHEAP, photos)
    assert same.data == compile(file, "local", "tflite").data
    with pytest.raises(PlanError, match="recipe int8-minmax already: leave recipe= and max_drift= out"):
        compile(file, "local", "tflite", recipe="int8-fast")
    with pytest.raises(PlanError, match="quantized with recipe int8-minmax already"):
        decide(file, "local", max_drift=0.5)
    with pytest.raises(PlanError, match="quantized with other images: leave calibration= out"):
        compile(file, "local", "tflite", calibration=ImageSet.load(photos).head(5))
    with pytest.raises(ModelError, match="tiny has its own preprocessing and labels"):
        compile(file, "local", "tflite", preprocessing=tmp_path / "card.toml")
    with pytest.raises(ModelError, match="tiny is quantized already: give the float model"):
        quantize_model(file, CHEAP, photos)  # type: ignore[arg-type]


def test_refused_before_the_model_is_read(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there is no recipe 'int9'"):
        quantize_model(tmp_path / "none.onnx", "int9", photos)
    with pytest.raises(LibraryError, match="recipe 'fp16' makes fp16: let compile write it"):
        quantize_model(tmp_path / "none.onnx", "fp16", photos)
    with pytest.raises(EdgenetError, match="int8 needs calibration images"):
        quantize_model(tmp_path / "none.onnx")


def forged(file: Path, change: Callable[[Facts], None]) -> bytes:
    """The file with other facts, as somebody would write them who knows the form."""
    proto = onnx.load(file)
    entry = next(item for item in proto.metadata_props if item.key == FACTS)
    table = json.loads(entry.value)
    change(table)
    entry.value = json.dumps(table)
    return proto.SerializeToString()


FORGERIES: list[tuple[Callable[[Facts], Any], str]] = [
    (lambda facts: facts.update(schema=9), "schema 9, this edgenet reads 1"),
    (lambda facts: facts.pop("recipe"), "no 'edgenet.facts.recipe' in it"),
    (lambda facts: facts.update(name="../../etc/cron"), "name is '../../etc/cron'"),
    (lambda facts: facts.update(name="a\x1b[2J"), "printable text"),
    (lambda facts: facts.update(output="scores"), "logits or probabilities"),
    (lambda facts: facts.update(labels=["a"]), "1 labels for 5 classes"),
    (lambda facts: facts["preprocessing"].update(size=[32, 32]), "preprocessing makes 1x3x32x32"),
    (lambda facts: facts["recipe"].update(rounding="up"), "rounding = 'up'"),
    (lambda facts: facts["recipe"].update(images="all"), "images = 'all' is not an int"),
    (lambda facts: facts["account"].update(seconds=-1), "account.seconds is -1"),
    (lambda facts: facts["account"].update(layers=[]), "account.layers is 0, not at least one layer"),
    (lambda facts: facts["account"]["layers"][0].pop("sqnr_db"), r"account.layers\[0\].sqnr_db is None"),
    (lambda facts: facts.update(calibration={"digest": 7, "skipped": []}), "calibration.digest is 7"),
    (lambda facts: facts["golden"]["images"].pop(), "does not fit its images"),
    (lambda facts: facts["golden"]["images"][0].update(pixels_sha256="0" * 64), "gives other pixels"),
    (lambda facts: facts["files"].pop("reference.onnx"), "no reference.onnx in it"),
    (lambda facts: facts["files"]["reference.onnx"].update(sha256="0" * 64), "another digest"),
    (lambda facts: facts.update(files=[1]), "lists no files"),
]


@pytest.mark.parametrize(("change", "message"), FORGERIES, ids=[text for _, text in FORGERIES])
def test_a_forged_file_is_refused_in_one_line(
    file: Path, change: Callable[[Facts], None], message: str
) -> None:
    with pytest.raises(EdgenetError, match=message) as caught:
        Quantized.parse(forged(file, change), "x.int8.onnx")
    assert "\n" not in str(caught.value)


def test_a_graph_that_was_changed_after_quantizing_is_refused(file: Path) -> None:
    proto = onnx.load(file)
    proto.graph.node[0].name = "another"
    with pytest.raises(ModelError, match="its graph was changed after it was quantized"):
        Quantized.parse(proto.SerializeToString(), "x.int8.onnx")


@pytest.mark.parametrize("cut", [0, 100, 5000, -1])
def test_a_truncated_file_is_refused(file: Path, cut: int) -> None:
    with pytest.raises(ModelError, match=r"x\.int8\.onnx: "):
        Quantized.parse(file.read_bytes()[:cut], "x.int8.onnx")


@pytest.mark.parametrize("key", [FACTS, f"{FILE}reference.onnx"])
def test_noise_in_an_entry_is_refused(file: Path, key: str) -> None:
    for noise in ("[" * 100_000, "Ä", base64.b64encode(b"no model").decode()):
        proto = onnx.load(file)
        next(item for item in proto.metadata_props if item.key == key).value = noise
        with pytest.raises(ModelError, match=r"x\.int8\.onnx: "):
            Quantized.parse(proto.SerializeToString(), "x.int8.onnx")


def test_the_library_decides_as_the_command_line_does(tmp_path: Path, model_file: Path) -> None:
    """ "signs", a card from elsewhere and labels are the library's to know."""
    assert compile("signs", "local", "onnxruntime", "fp32").bundle.manifest.model.name == "signs"
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(model_file.read_bytes())
    labels = tmp_path / "names.txt"
    labels.write_text("a\nb\nc\nd\ne\n")
    card = model_file.with_suffix(".toml")
    done = compile(bare, "local", "onnxruntime", "fp32", preprocessing=card, labels=labels)
    assert done.bundle.manifest.labels == ("a", "b", "c", "d", "e")
    with pytest.raises(PlanError, match="a drift limit is for int8 with second-order rounding"):
        compile("signs", "local", "onnxruntime", "fp32", max_drift=0.5)
