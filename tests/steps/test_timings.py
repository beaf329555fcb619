"""How long compiling took here, and what that tells of the next run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.steps import timings
from edgenet.steps.timings import Timing, expect

RUN = Timing(model="a", macs=1000, recipe="int8-fast", backend="tflite", images=100, cached=False)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "timings.json"


def other(**changed: object) -> Timing:
    return RUN.changed(**changed)


def test_nothing_is_invented() -> None:
    assert expect(RUN) is None
    other(backend="onnxruntime").remember(5.0)
    other(recipe="int8-accurate").remember(5.0)
    other(cached=True).remember(5.0)
    other(model="b", macs=2100).remember(5.0)
    other(model="b", images=0).remember(5.0)
    other(model="b", images=40).remember(5.0)
    assert expect(RUN) is None, "none of them is like it"


def test_the_same_run_takes_as_long_as_the_last_time() -> None:
    for seconds in (9.0, 4.0):
        RUN.remember(seconds)
    other(model="b").remember(1.0)
    found = expect(RUN)
    assert found is not None
    assert (found.seconds, found.why) == (4.0, "as the last time with this model")


def test_a_like_model_takes_as_long_for_each_multiply_add() -> None:
    other(model="b", macs=2000).remember(10.0)
    other(model="c", macs=500).remember(3.0)
    other(model="d", macs=800).remember(4.0)
    found = expect(RUN)
    assert found is not None
    assert found.seconds == pytest.approx(5.0), "the median of 5, 6 and 5 ms for each multiply-add"
    assert found.why == "from 3 earlier runs here with like models, by multiply-adds"


def test_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(timings, "KEPT", 3)
    for number in range(5):
        other(model=str(number)).remember(1.0)
    assert file.read_text().count('"model"') == 3


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"model": "a"}]', "[" * 100_000, '[{"macs": 1e999}]'])
def test_a_damaged_file_tells_nothing_and_is_written_anew(text: str, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert expect(RUN) is None
    RUN.remember(2.0)
    assert expect(RUN) is not None


def test_a_cache_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "file" / "x"))
    RUN.remember(2.0)
    assert expect(RUN) is None
