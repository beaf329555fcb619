"""Estimates: of boards that nobody measured, and never taken for a measurement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import edgenet
from edgenet.errors import LibraryError, ModelError, PlanError, ReportError
from edgenet.estimates.estimate import Estimate, estimated
from edgenet.estimates.work import LayerWork, Work
from edgenet.library import names
from edgenet.model import Model
from edgenet.report import Report
from edgenet.steps.compare import compare
from edgenet.steps.estimate import estimate
from edgenet.steps.quantize import quantize_model
from edgenet.steps.report import present
from edgenet.swept import Sweep
from edgenet.target import Target
from edgenet.zoo import embedded
from tests.conftest import CHEAP


def test_the_public_name_is_the_step() -> None:
    assert edgenet.estimate is estimate


def test_a_published_network_lies_within_its_interval() -> None:
    """Raspberry Pi 4 at 1.5 GHz: 24 ms by XNNPACK's page; the board's file has 1.8 GHz."""
    found = estimate("v1-1.0-224", "raspberry-pi-4", "tflite", "int8")
    assert found.tells
    assert found.interval_ms is not None
    low, high = found.interval_ms
    assert low < 24 * 1500 / 1800 < high
    assert found.ms is not None
    assert found.fps == pytest.approx(1e3 / found.ms)
    assert found.interval_fps == pytest.approx((1e3 / high, 1e3 / low))
    assert "ESTIMATED" in found.words
    assert "network alone" in found.words


def test_a_smaller_network_is_faster_and_less_sure() -> None:
    large, small = (estimate(name, "raspberry-pi-4") for name in ("v1-1.0-224", "v1-0.5-128"))
    assert large.ms is not None
    assert small.ms is not None
    assert large.ms > 4 * small.ms
    assert large.factor is not None
    assert small.factor is not None
    assert large.factor < small.factor


def test_a_file_and_an_embedded_model_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(embedded("signs").read_bytes())
    path.with_suffix(".toml").write_bytes(embedded("signs").with_suffix(".toml").read_bytes())
    mine, signs = estimate(path, "raspberry-pi-5"), estimate("signs", "raspberry-pi-5")
    assert (mine.model, signs.model) == ("mine", "signs")
    assert mine.ms == signs.ms
    assert estimate(Model.load(path), Target.load("raspberry-pi-5")).ms == mine.ms


def test_how_a_network_is_fed_does_not_matter_so_a_file_needs_no_card(tmp_path: Path) -> None:
    path = tmp_path / "bare.onnx"
    path.write_bytes(embedded("signs").read_bytes())
    assert estimate(path, "raspberry-pi-4").ms == estimate("signs", "raspberry-pi-4").ms
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"bare\.onnx"):
        estimate(path, "raspberry-pi-4")


def test_what_edgenet_quantized_is_taken_as_the_network_that_it_was(
    tmp_path: Path, model_file: Path, photos: Path
) -> None:
    made = quantize_model(model_file, CHEAP, photos)
    path = made.write(tmp_path / "tiny.int8.onnx")
    quantized, plain = (estimate(item, "raspberry-pi-4") for item in (path, model_file))
    assert quantized.model == plain.model
    assert quantized.macs == plain.macs
    assert quantized.ms == pytest.approx(plain.ms, rel=0.25)


def test_a_file_is_preferred_to_a_network_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("v1-0.25-128").write_text("no model")
    with pytest.raises(ModelError):
        estimate("v1-0.25-128", "raspberry-pi-4")


@pytest.mark.parametrize(
    ("target", "backend", "precision", "why"),
    [
        ("jetson-agx-thor", "tflite", "int8", "Neoverse-V3AE"),
        ("jetson-xavier-nx", "tflite", "int8", "×"),
        ("jetson-nano", "tensorrt", "fp16", "GPUs are not estimated"),
        ("raspberry-pi-4", "onnxruntime", "int8", "no time of onnxruntime"),
        ("raspberry-pi-4", "tflite", "int8-dynamic", "int8-dynamic"),
        ("rtx-laptop", "tflite", "int8", "processors of its design"),
    ],
)
def test_where_it_cannot_be_told_it_says_why_and_what_to_do(
    target: str, backend: str, precision: str, why: str
) -> None:
    found = estimate("v1-0.25-128", target, backend, precision)
    assert not found.tells
    assert (found.ms, found.fps, found.interval_ms, found.interval_fps) == (None,) * 4
    assert found.words.startswith("ESTIMATED: cannot tell")
    assert why in found.why
    assert found.remedy is not None
    assert found.remedy == "measure: edgenet sweep v1 --alpha 0.25 --resolution 128 --device user@board"


def test_a_network_that_is_no_mobilenet_has_a_roofline_alone() -> None:
    work = Work((LayerWork(512_000, 513_512),), None)
    found = estimated("dense", work, Target.load("raspberry-pi-4"), "tflite", "fp32")
    assert found.roofline_ms is not None
    assert (found.tells, found.ms) == (False, None)
    assert "known for MobileNets only" in found.why


@pytest.mark.parametrize(
    ("cpu", "memory", "threads", "why"),
    [
        ({"clock_mhz": 0}, 12.8, 0, "clock"),
        ({"cores": 0}, 12.8, 0, "number of its cores"),
        ({"cores": 0}, 12.8, 4, ""),
        ({}, None, 0, "bandwidth"),
    ],
)
def test_a_board_whose_file_does_not_say_enough_cannot_be_told(
    cpu: dict[str, Any], memory: float | None, threads: int, why: str
) -> None:
    board = Target.load("raspberry-pi-4")
    board = replace(board, cpu=replace(board.cpu, **cpu), memory_gb_s=memory)
    found = estimate("v1-1.0-224", board, threads=threads)
    assert found.tells is not bool(why)
    assert why in found.why
    assert (found.ms is None) is bool(why)


def test_what_cannot_be_told_is_measured_with_what_the_user_has(tmp_path: Path) -> None:
    path = tmp_path / "my model.onnx"
    path.write_bytes(embedded("signs").read_bytes())
    remedies = [
        estimate(item, "jetson-agx-thor").remedy for item in (str(path), Model.load(embedded("signs")))
    ]
    assert remedies == [
        f"measure: edgenet sweep '{path}' --val DIR --device user@board, or compile, deploy and profile it",
        "measure: compile, deploy and profile it",
    ]
    unpublished = estimate("v1-0.3-100", "jetson-agx-thor").remedy
    assert unpublished == "measure published ones: edgenet sweep v1 --device user@board"


@pytest.mark.parametrize("name", ["v3-1.0-224", "v4-1.0-224", "mobilenet_v2_1.0_224", "V1-1.0-224", "v2"])
def test_a_name_that_is_nearly_one_is_told_how_names_are(name: str) -> None:
    with pytest.raises(ModelError, match="v1, v2, v3-small, v3-large"):
        estimate(name, "raspberry-pi-4")


@pytest.mark.parametrize(
    ("model", "target", "backend", "precision", "error"),
    [
        ("signs", "zzz", None, None, LibraryError),
        ("nothing.onnx", "raspberry-pi-4", None, None, ModelError),
        ("v1-9.0-224", "raspberry-pi-4", None, None, ModelError),
        ("signs", "raspberry-pi-4", "tensorrt", None, PlanError),
        ("signs", "raspberry-pi-4", None, "int4", PlanError),
        ("signs", "jetson-nano", "tensorrt", "int8", PlanError),
    ],
)
def test_what_is_not_there_is_refused(
    model: str, target: str, backend: str | None, precision: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        estimate(model, target, backend, precision)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "estimate.json"
    path.write_text(json.dumps(estimate("v1-0.25-128", "raspberry-pi-4").to_table()))
    return path


def test_nothing_takes_it_for_a_report(written: Path) -> None:
    for take in (Report.load, lambda path: compare(path, path), lambda path: present([path], "html")):
        with pytest.raises(ReportError, match="ESTIMATED"):
            take(written)
    with pytest.raises(ReportError):
        Sweep.load(written)
    with pytest.raises(ReportError):
        Report.from_table(json.loads(written.read_text()), "made")


def test_it_reads_itself_back(written: Path) -> None:
    values = json.loads(written.read_text())
    assert values["kind"] == "estimated"
    assert values["words"].startswith("ESTIMATED")
    assert Estimate.from_table(values).to_table() == values


def test_every_board_either_tells_or_says_why() -> None:
    for name in names("target"):
        found = estimate("v1-0.25-128", name)
        assert found.tells is (found.ms is not None)
        assert found.why
