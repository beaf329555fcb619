"""Figures that cannot be are withheld with the reason, possible ones stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.breakdown import Layer
from edgenet.measure.plausibility import impossible_layers, impossible_pipeline
from edgenet.measure.verdict import judge
from tests.measure.test_drift import bench, measured


@pytest.mark.parametrize(("pipeline_ms", "possible"), [(20.0, True), (10.0, True), (9.8, True), (8.6, False)])
def test_a_frame_takes_no_less_than_its_model(pipeline_ms: float, possible: bool) -> None:
    """116 frames a second of a model that runs 100 times a second alone."""
    found = impossible_pipeline(bench(pipeline_ms=np.full(100, pipeline_ms)))
    assert (found is None) == possible
    assert impossible_pipeline(bench(pipeline_ms=np.empty(0))) is None


def test_such_a_run_is_noisy_and_settles_no_limit() -> None:
    verdict = judge(bench(pipeline_ms=np.full(100, 5.0)), measured(), 24.0, None)
    assert verdict.state == "NOISY"
    assert "5 ms and its model alone 10 ms" in verdict.reasons[0]
    (limit,) = verdict.limits
    assert (limit.value, limit.passed) == (None, False)
    assert "its model alone" in (limit.note or "")


def layers(*times: float, **facts: Any) -> list[Layer]:
    return [Layer.of(name=f"l{index}", op="Conv", ms=ms, macs=100, **facts) for index, ms in enumerate(times)]


def test_layers_that_compute_take_time() -> None:
    """23 of 30 at nothing, and one of 0.8 ms in a network of 1.09."""
    impossible = layers(*[0.0] * 23, 0.8, *[0.05] * 6)
    assert "23 of 30 layers that compute seem to take no time" in (impossible_layers(impossible) or "")
    assert impossible_layers(layers(*[0.0] * 2, *[0.1] * 28)) is None
    assert impossible_layers([]) is None


def test_layers_that_only_move_values_may_take_none() -> None:
    moves = [Layer.of(name=f"r{index}", op="Reshape", ms=0.0) for index in range(20)]
    assert impossible_layers([*layers(0.1, 0.2), *moves]) is None
