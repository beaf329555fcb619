"""The embedded detector from its name to the report and the demo, on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.cli.main import _run
from edgenet.detection.drift import DetectionDrift
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.demo import DemoOptions, demo
from edgenet.steps.deploy import deploy
from edgenet.steps.parity import parity
from edgenet.steps.profile import profile
from edgenet.steps.quickstart import answer
from edgenet.zoo.signs import LABELS
from tests.e2e.test_chain import BRIEF

IMAGES = 120


@pytest.fixture(scope="module")
def bundles() -> dict[str, Bundle]:
    """int8-fast, for both embedded backends."""
    return {
        backend: compile("scenes", "local", backend, "int8", calibration="scenes").bundle
        for backend in ("tflite", "onnxruntime")
    }


@pytest.fixture(scope="module")
def val() -> ImageSet:
    return ImageSet.load(image_folder("scenes", "val")).head(IMAGES)


def test_int8_keeps_its_map_on_the_board(
    bundles: dict[str, Bundle], val: ImageSet, home: Path, tmp_path: Path
) -> None:
    """Half a point is what ``int8-fast`` may lose."""
    bundle = bundles["tflite"]
    deploy(bundle)
    report = profile(bundle, "local", BRIEF, val=val, max_drift=0.5)
    drift = report.drift
    assert isinstance(drift, DetectionDrift)
    assert drift.map50 is not None
    assert drift.map50 > 0.9
    assert drift.lost().pp <= 0.5
    assert (drift.boxes_kept or 0) > 0.97
    assert drift.stages.kernel.identical
    report.write(tmp_path / "report.json")
    again = Report.load(tmp_path / "report.json")
    assert answer([again], 0.5)["fastest"]["delta_pp"] == drift.delta_pp


def test_a_bundle_says_what_each_of_its_outputs_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, made = (
        tmp_path / "scenes.edgenet",
        compile("scenes", "local", "tflite", "int8", calibration="scenes"),
    )
    made.write(path)
    assert _run(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    parts = made.bundle.manifest.artifact.output.parts or ()
    assert parts
    assert f"int8 values in {len(parts)} outputs" in shown
    assert all(f"{part.name}: {part.values} values, value = {part.scale:.6g} *" in shown for part in parts)


def test_both_backends_answer_alike(bundles: dict[str, Bundle]) -> None:
    found = parity(*bundles.values())
    assert found.images >= 4
    assert found.largest <= 1


def test_the_demo_finds_the_signs_of_its_camera(
    bundles: dict[str, Bundle], home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "answers.jsonl"
    options = DemoOptions(source="synthetic", size=(320, 240), page=False, answers=log, seconds=1.0)
    summary = demo(bundles["tflite"], "local", options)
    assert summary["models"][0]["task"] == "detection"
    answers = [json.loads(line) for line in log.read_text().splitlines()]
    shown = set(LABELS[:4])  # the camera's first four, in its first 48 pictures
    first = [line["tops"][0] for line in answers if line["frame"] < 48]
    assert first
    assert sum({name for name, *_ in top} <= shown and bool(top) for top in first) > 0.9 * len(first)
