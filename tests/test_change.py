"""Faster, slower or not told apart: by the samples, and only of runs that were measured well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgenet.change import pipeline_change, speed_change
from tests.reports import CAMERA, report

NOISY = {"state": "NOISY", "reasons": ["others"], "limits": []}


@pytest.mark.parametrize(
    ("then", "now", "word"),
    [(2.0, 1.8, "faster"), (2.0, 2.2, "slower"), (2.0, 2.0, "cannot tell"), (2.0, 2.01, "cannot tell")],
)
def test_the_samples_tell(then: float, now: float, word: str) -> None:
    found = speed_change(report(then), report(now, 1))
    assert found.word == word
    assert found.ratio == pytest.approx(now / then, rel=0.01)
    assert found.told == (word != "cannot tell")


def test_a_noisy_run_tells_nothing() -> None:
    found = speed_change(report(2.0), report(1.0, verdict=NOISY))
    assert (found.word, found.told) == ("cannot tell (noisy)", False)


def test_a_pipeline_is_compared_on_the_same_frames() -> None:
    found = pipeline_change(report(2.0), report(1.8))
    assert found is not None
    assert found.word == "faster"
    assert pipeline_change(report(), report(pipeline_ms=CAMERA)) is None
    assert pipeline_change(replace(report(), pipeline_ms=None), report()) is None
