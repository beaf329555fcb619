"""How long compiling took here, and what that tells of the next run."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.steps import timings
from edgenet.steps.timings import Timing, last_seconds

RUN = Timing(model="a", recipe="int8-fast", backend="tflite", images=100, cached=False)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "timings.json"


def other(**changed: object) -> Timing:
    return RUN.changed(**changed)


def test_nothing_is_invented() -> None:
    assert last_seconds(RUN) is None
    for changed in (
        {"model": "b"},
        {"backend": "onnxruntime"},
        {"recipe": "int8-accurate"},
        {"cached": True},
        {"images": 99},
    ):
        RUN.changed(**changed).remember(5.0)
    assert last_seconds(RUN) is None, "none of them is the same"


def test_the_same_run_takes_as_long_as_the_last_time() -> None:
    for seconds in (9.0, 4.0):
        RUN.remember(seconds)
    RUN.changed(model="b").remember(1.0)
    assert last_seconds(RUN) == 4.0


def test_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(timings, "KEPT", 3)
    for number in range(5):
        RUN.changed(model=str(number)).remember(1.0)
    assert file.read_text().count('"model"') == 3


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"model": "a"}]', "[" * 100_000, '[{"seconds": 1e999}]'])
def test_a_damaged_file_tells_nothing_and_is_written_anew(text: str, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert last_seconds(RUN) is None
    RUN.remember(2.0)
    assert last_seconds(RUN) is not None


def test_a_cache_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "file" / "x"))
    RUN.remember(2.0)
    assert last_seconds(RUN) is None
