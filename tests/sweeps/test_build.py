"""One job, all builds of a network: what compile gives, what a profile would say, each failure on its own."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.agent.preprocess import pixels_of
from edgenet.bundle import Bundle
from edgenet.errors import DataError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.recipe import Recipe
from edgenet.steps import compiler
from edgenet.steps.compile import compile
from edgenet.steps.quantize import quantize_model
from edgenet.sweeps.build import Build, BuildJob, Built, build
from edgenet.sweeps.images import Images
from edgenet.target import Target
from edgenet.verify.host import run_bundle
from edgenet.verify.reference import Reference
from tests.conftest import CHEAP

BUILDS = (
    Build("tflite", "int8", Recipe.load(CHEAP)),
    Build("tflite", "fp32"),
    Build("onnxruntime", "int8", Recipe.load(CHEAP)),
    Build("onnxruntime", "fp32"),
)


def job(model: Any, photos: Path, builds: tuple[Build, ...] = BUILDS, **how: Any) -> BuildJob:
    images = Images.of(str(photos), "val")
    target = Target.load(how.pop("target", "raspberry-pi-4"))
    return BuildJob(model, target, builds, **({"calibration": images, "cache": False} | how))


def test_every_bundle_is_the_one_that_compile_makes_and_shared_work_is_done_once(
    model_file: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [
        compile(model_file, "raspberry-pi-4", item.backend, item.precision, item.recipe, photos, cache=False)
        for item in BUILDS
    ]
    calls: Counter[str] = Counter()
    for name in ("prepare", "choose", "quantized"):
        real = getattr(compiler, name)
        monkeypatch.setattr(
            compiler, name, lambda *given, name=name, real=real: (calls.update([name]), real(*given))[1]
        )
    found = build(job(model_file, photos))
    assert [item.bundle for item in found] == [item.data for item in alone]
    assert [item.failure for item in found] == [None] * 4
    assert all(item.seconds > 0 and item.drift is None for item in found)
    assert calls == {"prepare": 1, "choose": 1, "quantized": 1}


def test_each_is_held_to_the_float_network_by_every_image(model: Model, photos: Path) -> None:
    """Against the network and the artifact run by hand."""
    images = ImageSet.load(photos)
    found = build(job(model, photos, val=Images.of(str(photos), "val")))
    pixels = [pixels_of(images.read(index), model.preprocessing.fit_spec()) for index in range(len(images))]
    reference = Reference(model.proto, model.preprocessing, model.task)
    floats = np.stack([reference.run(item[None]) for item in pixels])
    labels = np.array([int(row["class_index"]) for row in images.truth or ()])
    for item in found:
        assert item.bundle is not None
        assert item.drift is not None
        bundle = Bundle.parse(item.bundle)
        answers = run_bundle(bundle, pixels)
        assert item.drift["images"] == item.drift["stages"]["preprocess"]["identical"] == 12
        assert item.drift["top1"] == pytest.approx((answers.argmax(1) == labels).mean())
        assert item.drift["top1_reference"] == pytest.approx((floats.argmax(1) == labels).mean())
        assert item.drift["agreement"] == pytest.approx((answers.argmax(1) == floats.argmax(1)).mean())
        assert item.drift["stages"]["kernel"]["identical"]


def test_every_image_is_decoded_once_for_all_builds(
    model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[Path] = Counter()
    real = ImageSet.pixels

    def pixels(self: ImageSet, index: int, how: Any) -> Any:
        decoded.update([self.files[index]])
        return real(self, index, how)

    monkeypatch.setattr(ImageSet, "pixels", pixels)
    work = job(model, photos, BUILDS[1::2], val=Images.of(str(photos), "val"), calibration=None)
    kept = build(work)
    assert set(decoded.values()) == {1}
    monkeypatch.setattr("edgenet.sweeps.decoded.ROOM", 5 * 64 * 64 * 3)
    decoded.clear()
    again = build(work)
    assert sorted(decoded.values()) == [1] * 5 + [3] * 7
    assert [item.drift for item in again] == [item.drift for item in kept]


def test_what_cannot_be_built_says_why_and_the_others_are(model: Model, photos: Path) -> None:
    wrong = (
        Build("tensorrt", "int8"),
        Build("tflite", "fp16", Recipe.load(CHEAP)),
        Build("tflite", "int8", replace(Recipe.load(CHEAP), observer="crystal-ball")),
        Build("onnxruntime", "int8", replace(Recipe.load(CHEAP), observer="crystal-ball")),
    )
    found = build(job(model, photos, (*wrong, *BUILDS[:1])))
    assert [item.bundle is None for item in found] == [True, True, True, True, False]
    assert (
        found[0].failure == "Raspberry Pi 4 Model B has no tensorrt; choose --backend tflite or onnxruntime"
    )
    assert "crystal-ball" in str(found[2].failure)
    assert found[2].failure == found[3].failure
    assert not any(item.unforeseen for item in found)


def test_a_drift_limit_that_cannot_be_kept_fails_once_for_both_backends(
    model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgenet.errors import DriftError

    tried = []

    def refuse(*given: Any) -> Any:
        tried.append(given)
        raise DriftError("int8 loses 9 pp, 1 pp were allowed", "allow more")

    monkeypatch.setattr(compiler, "quantized", refuse)
    found = build(job(model, photos, (BUILDS[0], BUILDS[2], BUILDS[1])))
    assert [item.failure for item in found[:2]] == ["int8 loses 9 pp, 1 pp were allowed; allow more"] * 2
    assert len(tried) == 1
    assert found[2].bundle is not None


def test_what_nobody_foresaw_is_told_by_its_type_and_the_others_go_on(
    model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = compiler._held

    def fail(lowering: Any, *given: Any) -> Any:
        if lowering.name == "tflite":
            raise IndexError("list index out of range")
        return held(lowering, *given)

    monkeypatch.setattr(compiler, "_held", fail)
    found = build(job(model, photos))
    assert str(found[0].failure).startswith("IndexError: list index out of range")
    assert found[0].unforeseen
    assert [item.bundle is not None for item in found] == [False, True, True, True]


def test_what_a_file_is_to_blame_for_may_end_otherwise_another_time(
    model: Model, photos: Path, tmp_path: Path
) -> None:
    """It is not kept as the network's fault."""
    folder = tmp_path / "val"
    shutil.copytree(photos, folder)
    (folder / "03.ppm").write_bytes(b"P6 broken")
    (found,) = build(job(model, photos, BUILDS[1:2], val=Images.of(str(folder), "val")))
    assert found.bundle is None
    assert "03.ppm" in str(found.failure)
    assert found.unforeseen


def test_a_model_that_cannot_be_read_fails_in_every_build(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07nonsense")
    found = build(job(tmp_path / "broken.onnx", photos))
    assert all(item.bundle is None and not item.unforeseen for item in found)
    assert {"broken.onnx" in str(item.failure) for item in found} == {True}


def test_images_that_changed_end_the_job(model: Model, photos: Path) -> None:
    other = replace(Images.of(str(photos), "val"), digest="0" * 64)
    with pytest.raises(DataError, match="changed while the sweep ran"):
        build(job(model, photos, calibration=other))


def test_a_network_that_is_quantized_keeps_its_own_recipe(model: Model, photos: Path) -> None:
    made = quantize_model(model, CHEAP, photos, cache=False)
    images = Images.of(str(photos), "val")
    other = Build("tflite", "int8", Recipe.load("int8-fast"))
    found = build(
        BuildJob(made, Target.load("local"), (other, Build("tflite", "fp32")), images, images, False)
    )
    assert found[0].failure is None
    assert Bundle.parse(found[0].bundle or b"").manifest.recipe == made.recipe.to_table()
    assert "was quantized to int8, not fp32" in str(found[1].failure)


def test_a_portable_job_needs_no_file(model_file: Path, photos: Path, tmp_path: Path) -> None:
    copy = tmp_path / model_file.name
    copy.write_bytes(model_file.read_bytes())
    copy.with_suffix(".toml").write_bytes(model_file.with_suffix(".toml").read_bytes())
    given = job(copy, photos, BUILDS[1:2])
    portable = given.portable()
    here = build(given)
    copy.unlink()
    assert bundles(build(portable)) == bundles(here) != [None]


def bundles(found: tuple[Built, ...]) -> list[bytes | None]:
    return [item.bundle for item in found]
