"""Which build a page recommends, and that it claims no more than was measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgenet.report import Report, latency
from edgenet.steps.report import present
from edgenet.views.comparison import names
from edgenet.views.recommendation import Recommendation, fastest_within, recommendations
from tests.reports import DRIFT, report


def build(p50: float, backend: str, precision: str, lost: float = 0.0, **changes: Any) -> Report:
    """A build with a headline that lost this many pp, give or take half a point."""
    first = report(p50, seed=int(100 * p50))
    drift = {**DRIFT, "top1_delta_pp": -lost, "top1": 0.705 - lost / 100, "images": 1000,
             "interval_pp": [-lost - 0.25, -lost + 0.25]}  # fmt: skip
    bundle = {**first.bundle.to_table(), "backend": backend, "precision": precision}
    return report(p50, int(100 * p50), **{"bundle": bundle, "drift": drift, **changes})


def advice(*reports: Report) -> Recommendation:
    (found,) = recommendations(reports, names(reports))
    return found


FLOAT, INT8 = build(4.0, "tflite", "fp32"), build(2.0, "tflite", "int8", 0.125)


def test_the_fastest_that_keeps_the_accuracy() -> None:
    found = advice(FLOAT, build(1.0, "onnxruntime", "int8", 0.75), INT8)
    assert found.headline == (
        "tflite int8: fastest within 0.5 pp, 2.0× float; no measurable loss on 1,000 images"
    )
    assert found.index == 2
    assert found.sure
    told = " ".join(found.facts)
    assert "2.00 times as fast as tflite fp32 (95 % interval 1.9" in told or "interval 2.0" in told
    assert "top-1 -0.12 pp against float, 95 % interval -0.38 to 0.12 pp" in told
    assert "ruled out" not in told, "the interval does not reach beyond half a point"
    assert "left out: onnxruntime int8, " in told
    assert "times as fast, top-1 lost 0.75 pp, 95 % interval 0.50 to 1.00" in told
    assert "500.0 FPS image to label" not in told
    assert "125.0 FPS image to label: meets 24 FPS" in told


def test_a_loss_that_was_measured_is_said() -> None:
    found = advice(FLOAT, build(2.0, "tflite", "int8", 0.375))
    assert "0.38 pp of top-1 lost on 1,000 images" in found.headline
    assert "no measurable loss" not in found.headline
    assert "a loss of more than 0.5 pp cannot be ruled out with 1,000 images" in " ".join(found.facts)


def test_few_images_tell_no_loss_from_none() -> None:
    few = {**DRIFT, "images": 1, "top1": 1.0, "top1_reference": 1.0, "top1_delta_pp": 0.0,
           "interval_pp": [-79.0, 79.0]}  # fmt: skip
    found = build(2.0, "tflite", "int8", drift=few)
    assert "a loss of up to 79.0 pp cannot be ruled out on 1 image" in advice(FLOAT, found).headline
    html = present([found])
    assert "no measurable loss" not in html
    assert '<span class="against">a loss of up to 79.0 pp cannot be ruled out on 1 image</span>' in html


def test_a_gain_is_no_loss() -> None:
    assert "0.50 pp of top-1 gained" in advice(FLOAT, build(2.0, "tflite", "int8", -0.5)).headline


def test_no_faster_is_not_called_faster() -> None:
    same = build(4.0, "onnxruntime", "int8")
    noisy = latency(np.random.default_rng(3).gamma(2.0, 2.0, 300)).to_table()
    found = advice(FLOAT, report(4.0, 9, **{**same.to_table(), "latency_ms": noisy}))
    assert "× float" not in found.headline
    if found.index == 1:
        assert "no faster than float beyond noise" in found.headline
    else:
        assert "may be as fast" in " ".join(found.facts)


def test_nothing_within_is_said() -> None:
    found = advice(build(4.0, "tflite", "int8", 3.0), build(2.0, "onnxruntime", "int8", 2.0))
    assert found.headline == "No build keeps within 0.5 pp of float: the least loss is 2.00 pp"
    assert found.index is None
    assert fastest_within([build(4.0, "tflite", "int8", 3.0)], 0.5) is None


def test_without_labels_it_is_the_share_of_answers() -> None:
    blind = {**DRIFT, "labelled": False, "top1": None, "top1_delta_pp": None, "interval_pp": None}
    kept = {**blind, "agreement": 0.998}
    found = advice(report(4.0, drift=kept), build(2.0, "tflite", "int8", drift={**blind, "agreement": 0.9}))
    assert found.index == 0
    assert "99.8 % of answers kept on 200 images" in found.headline
    assert "measurable" not in found.headline


def test_a_noisy_run_is_recommended_with_doubt() -> None:
    noisy = {"state": "NOISY", "reasons": ["busy"], "limits": []}
    shaken = build(2.0, "tflite", "int8", verdict=noisy)
    assert not advice(FLOAT, shaken).sure
    html = present([FLOAT, shaken])
    assert "Not every run here is VALID" in html
    assert "<strong>NOISY</strong> 1 of 2 builds" in html
    assert "Not every run" not in present([FLOAT, INT8])
    assert 'class="verdict noisy"' not in present([FLOAT, INT8])


def test_an_emulated_board_has_no_fastest() -> None:
    emulated = {"state": "EMULATED", "reasons": ["qemu"], "limits": []}
    found = advice(
        build(4.0, "tflite", "fp32", verdict=emulated), build(2.0, "tflite", "int8", verdict=emulated)
    )
    assert found.index is None
    assert "EMULATED" in found.headline
    mixed = advice(FLOAT, INT8, build(1.0, "tflite", "int8", verdict=emulated))
    assert mixed.index == 1


def test_each_board_has_its_own() -> None:
    pi = {"name": "pi", "target": "t", "facts": {"board": "Raspberry Pi 5"}}
    both = [
        FLOAT,
        INT8,
        build(9.0, "tflite", "fp32", device=pi),
        build(7.0, "tflite", "int8", 2.0, device=pi),
    ]
    found = recommendations(both, names(both))
    assert [item.board for item in found] == ["local", "Raspberry Pi 5"]
    assert [item.index for item in found] == [1, 2]


def test_of_several_models_none_is_recommended() -> None:
    bundle = {**INT8.bundle.to_table(), "model_digest": "y", "model": "other"}
    other = report(1.0, bundle=bundle, drift=INT8.drift.to_table())
    assert recommendations([INT8, other], ["a", "b"]) == []
    assert "of different models: none is recommended" in present([INT8, other])
    assert "none is recommended" not in present([FLOAT, INT8])
