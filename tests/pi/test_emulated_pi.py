"""The whole chain on emulated Raspberry Pis: nothing there but Debian, its Python and an ssh server.

Answers count, speed does not: a guest is hundreds of times slower than the host and ranks nothing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgenet import zoo
from edgenet.agent.demo.sources.synthetic import TURN
from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.drift import Preprocess
from edgenet.facts import Facts
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.demo import DemoOptions, Ready, Watch, demo
from edgenet.steps.deploy import deploy
from edgenet.steps.doctor import doctor
from edgenet.steps.probe import board_target, probe
from edgenet.steps.profile import profile
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.sweep import sweep
from edgenet.zoo.signs import LABELS

pytestmark = [pytest.mark.pi, pytest.mark.shared, pytest.mark.slow, pytest.mark.network]

BRIEF = Protocol("brief", "", 0.0, 0.2, 3, 5.0, 1, True, 0.0)
BUILDS = [(backend, precision) for backend in ("onnxruntime", "tflite") for precision in ("fp32", "int8")]
TARGETS = {"pi3": "raspberry-pi-3b-plus", "pi4": "raspberry-pi-4", "pi5": "raspberry-pi-5"}
CORES = {"pi3": "Cortex-A53", "pi4": "Cortex-A72", "pi5": "Cortex-A76"}
# Messages alone, bytes: what a deploy of what is there already may cost.
QUIET = 4096
# float32 logits of two machines' kernels may differ by so much.
LOGITS = 1e-3


@pytest.fixture(scope="module")
def imagenet(shared: Path) -> ImageSet:
    return ImageSet.load(shared / "data/imagenet/val_small").head(8)


@pytest.fixture(scope="module")
def build(shared: Path) -> Callable[[str, str], Bundle]:
    """Compiles MobileNetV1 0.25 224 for the Pi 4, each build once; the Pi 3 and 5 get the same bytes."""
    model = Model.load(shared / "data/models/mobilenet_v1_025_224.onnx")
    images = ImageSet.load(shared / "data/imagenet/calib").head(64)
    made: dict[tuple[str, str], Bundle] = {}

    def make(backend: str, precision: str) -> Bundle:
        if (backend, precision) not in made:
            compiled = compile(model, TARGETS["pi4"], backend, precision, calibration=images)
            made[backend, precision] = compiled.bundle
        return made[backend, precision]

    return make


def timed(figures: dict[str, Any], key: str, step: Callable[[], Any]) -> Any:
    """The step's result; its wall time is kept, marked as emulated."""
    began = time.perf_counter()
    result = step()
    figures.setdefault("seconds_emulated", {})[key] = round(time.perf_counter() - began, 1)
    return result


def test_probe(guest: Callable[[str], str], figures: dict[str, Any]) -> None:
    name = guest("pi4")
    facts = timed(figures, "pi4 probe", lambda: probe(name))
    assert facts.emulated is True
    assert facts.machine == "aarch64"
    assert facts.cpu == CORES["pi4"]
    assert facts.python.startswith("3.11")
    assert facts.runtimes == {}, "the image has no runtime, not even numpy"
    assert board_target(facts).target == TARGETS["pi4"]
    assert board_target(facts).known


def test_doctor_before_anything_is_there(guest: Callable[[str], str], figures: dict[str, Any]) -> None:
    found = timed(figures, "pi4 doctor", lambda: doctor(guest("pi4")))
    assert found.exit_code == 0, found
    states = {item.name: item for item in found.conditions}
    assert "emulated" in states["board"].found
    assert "onnxruntime==1.31.1 would be sent" in states["runtime onnxruntime"].found
    assert "ai-edge-litert==2.3.0 would be sent" in states["runtime tflite"].found


@pytest.mark.parametrize(("backend", "precision"), BUILDS)
def test_chain(
    guest: Callable[[str], str],
    figures: dict[str, Any],
    build: Callable[[str, str], Bundle],
    imagenet: ImageSet,
    backend: str,
    precision: str,
) -> None:
    name, bundle, key = guest("pi4"), build(backend, precision), f"pi4 {backend} {precision}"
    images = imagenet if precision == "int8" else imagenet.head(3)
    first = timed(figures, f"{key} deploy", lambda: deploy(bundle, name))
    again = deploy(bundle, name)
    assert first.changed
    assert not again.changed
    assert again.bytes_sent <= QUIET
    report = timed(figures, f"{key} profile", lambda: profile(bundle, name, BRIEF, val=images))
    figures[key] = {"bytes_first": first.bytes_sent, "bytes_again": again.bytes_sent, **kept(report)}
    check(report, len(images))
    if precision == "fp32":
        assert report.drift.stages.kernel.max_difference <= LOGITS
    else:
        assert report.drift.stages.kernel.identical, "int8 on Arm: the same bytes as here"


def test_embedded_model(guest: Callable[[str], str], figures: dict[str, Any]) -> None:
    path = zoo.embedded()
    if not path.is_file():
        pytest.skip("the embedded model is not here yet")
    name = guest("pi4")
    for backend in ("tflite", "onnxruntime"):
        bundle = compile(Model.load(path), TARGETS["pi4"], backend, "fp32").bundle
        deploy(bundle, name)
        report = profile(bundle, name, BRIEF)
        figures[f"pi4 {backend} fp32 embedded"] = kept(report)
        check(report, report.drift.images)


@pytest.mark.parametrize(
    ("interpolation", "decode"),
    [
        ("opencv-linear", "full"),
        ("tf-bilinear", "full"),
        ("pillow-bicubic", "scaled"),
    ],
)
def test_every_library_s_pixels_on_arm(
    guest: Callable[[str], str], imagenet: ImageSet, interpolation: str, decode: str
) -> None:
    """Decoded in place by simplejpeg and resampled as the library of that name does on x86."""
    model = Model.load(zoo.embedded())
    how = dataclasses.replace(
        model.preprocessing, resize="stretch", interpolation=interpolation, decode=decode
    )
    other, photos = dataclasses.replace(model, preprocessing=how), imagenet.head(4)
    bundle = compile(other, TARGETS["pi4"], "tflite", "fp32", calibration=photos).bundle
    name = guest("pi4")
    deploy(bundle, name)
    report = profile(bundle, name, dataclasses.replace(BRIEF, pipeline=False))
    assert report.drift.stages.preprocess.identical == len(photos)
    assert (report.drift.stages.preprocess.full_decode is None) == (decode == "full")
    ssh = os.environ["EDGENET_SSH"].split()
    listed = subprocess.check_output([*ssh, name, "ls .edgenet/runtimes/*"], timeout=60)
    assert b"simplejpeg" in listed


@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
@pytest.mark.parametrize("board", ["pi3", "pi5"])
def test_same_artifact_on_other_cores(
    guest: Callable[[str], str],
    figures: dict[str, Any],
    build: Callable[[str, str], Bundle],
    imagenet: ImageSet,
    board: str,
    backend: str,
) -> None:
    """A53 and A76 answer the int8 model with the bytes that the A72 and this host answer with."""
    name, bundle, few = guest(board), build(backend, "int8"), imagenet.head(2)
    timed(figures, f"{board} {backend} int8 deploy", lambda: deploy(bundle, name))
    report = profile(bundle, name, dataclasses.replace(BRIEF, pipeline=False), val=few)
    figures[f"{board} {backend} int8"] = kept(report)
    facts = Facts.from_table(report.device.facts)
    assert facts.cpu == CORES[board]
    assert board_target(facts).target == TARGETS[board]
    check(report, len(few))
    assert report.drift.stages.kernel.identical


@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
def test_sums_on_arm_are_those_of_this_host(
    guest: Callable[[str], str], figures: dict[str, Any], shared: Path, backend: str
) -> None:
    """Residual sums: the session on this host fuses them as Arm does, so every int8 number is the same."""
    model = Model.load(shared / "data/models/mobilenet_v2_035_224_flowers5.onnx")
    photos = ImageSet.load(shared / "data/flowers/calib").head(16)
    bundle = compile(model, TARGETS["pi4"], backend, "int8", "int8-minmax", photos).bundle
    name, few = guest("pi4"), ImageSet.load(shared / "data/flowers/val").head(3)
    deploy(bundle, name)
    report = profile(bundle, name, dataclasses.replace(BRIEF, pipeline=False), val=few)
    figures[f"pi4 {backend} int8 V2"] = kept(report)
    assert report.drift.stages.kernel.identical


@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
def test_a_detector_finds_there_what_it_finds_here(
    guest: Callable[[str], str], figures: dict[str, Any], shared: Path, backend: str
) -> None:
    """SSD-MobileNetV1 from its Keras file: every number of ten int8 heads, so every box, is this host's."""
    model = Model.load(shared / "data/detection/models/st_ssd_mobilenet_v1_025_192.h5")
    calib, val = (ImageSet.load(shared / "data/detection" / name) for name in ("calib", "coco_val"))
    bundle = compile(model, TARGETS["pi4"], backend, "int8", calibration=calib.head(24)).bundle
    assert len(bundle.manifest.artifact.output.parts or ()) == 10
    name, few = guest("pi4"), val.head(5)
    brief = dataclasses.replace(BRIEF, pipeline=backend == "tflite")
    timed(figures, f"pi4 {backend} detector deploy", lambda: deploy(bundle, name))
    report = timed(figures, f"pi4 {backend} detector", lambda: profile(bundle, name, brief, val=few))
    figures[f"pi4 {backend} int8 detector"] = kept(report)
    check(report, len(few))
    assert report.drift.stages.kernel.identical
    assert report.drift.stages.kernel.delta_pp == 0.0
    assert report.drift.labelled


def test_demo(guest: Callable[[str], str], figures: dict[str, Any], tmp_path: Path) -> None:
    """It names the signs of a slow synthetic camera, its page comes through ssh, and it ends cleanly."""
    bundle = compile(Model.load(zoo.embedded()), TARGETS["pi4"], "tflite", "fp32").bundle
    shown: list[tuple[int, bytes]] = []
    answers = tmp_path / "answers.jsonl"

    def look(found: Ready) -> None:
        assert found.url is not None
        base, _, token = found.url.partition("#")
        enter = urllib.request.Request(base + "enter", b"", {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(base, timeout=60) as page, urllib.request.urlopen(enter) as entered:
            key = json.loads(entered.read())["key"]
        ask = urllib.request.Request(base + "state", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(ask) as state:
            shown.append((page.status, state.read()))

    def ready(found: Ready) -> None:
        threading.Thread(target=look, args=(found,), daemon=True).start()

    options = DemoOptions(
        source="synthetic", size=(160, 120), fps=1, threads=1, seconds=15, answers=answers, keep=tmp_path
    )
    summary = timed(figures, "pi4 demo", lambda: demo(bundle, guest("pi4"), options, Watch(ready)))
    figures["pi4 demo"] = {key: summary[key] for key in ("fps", "frames", "stages_ms")}
    said = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len(said) == summary["frames"]["answered"] >= 3
    for line in said:
        assert line["tops"][0][0][0] == LABELS[line["frame"] // TURN % len(LABELS)]
    assert shown
    assert shown[0][0] == 200
    assert json.loads(shown[0][1])["models"][0]["name"] == bundle.name


def check(report: Report, images: int) -> None:
    """What must hold on any emulated board."""
    assert report.verdict.state == "EMULATED"
    assert report.device.facts["emulated"] is True
    assert report.drift.stages.preprocess == Preprocess(images=images, identical=images)
    assert report.drift.stages.kernel.agreement == 1.0


def kept(report: Report) -> dict[str, Any]:
    """The figures of one report."""
    return {
        "kernel": report.drift.stages.kernel.to_table(),
        report.drift.headline: report.drift.best,
        "agreement": report.drift.agreement,
        "memory_mb": report.memory_mb.to_table(),
        "runtime": report.bundle.backend,
        "verdict": report.verdict.state,
    }


def test_a_sweep_says_what_works_there_and_no_speed(
    guest: Callable[[str], str], figures: dict[str, Any], shared: Path, tmp_path: Path
) -> None:
    """Functional: every cell's answers are those of this host, top-1 is measured, and FPS stay out of it."""
    names = ("mobilenet_v1_025_96_flowers_fft", "mobilenet_v2_035_128_flowers_fft")
    plan = SweepPlan(
        files=tuple(str(shared / f"data/keras/{name}.h5") for name in names),
        precisions=("int8",),
        backends=("tflite",),
        recipe="int8-minmax",
        calibration=str(shared / "data/flowers/calib"),
        val=str(shared / "data/flowers/val"),
        boards=(Board(guest("pi4")),),
    )
    found = timed(figures, "pi4 sweep", lambda: sweep(plan, tmp_path, workers=1))
    assert [cell.state for cell in found.cells] == ["emulated"] * 2, found.cells
    assert all(cell.identical and cell.fps.decides is None for cell in found.cells)
    assert all(cell.top1 and cell.top1.kind == "measured" and cell.top1.value > 0.8 for cell in found.cells)
    assert "EMULATED" in found.answers[0].sentence
    assert "2 cells answered bit for bit as on this host" in found.answers[0].sentence
