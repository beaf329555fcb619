"""Results kept on disk: found by what they were made from, whole or not at all, bounded, shared."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgenet.cache
from edgenet.cache import Cache
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.recipe import Recipe
from edgenet.steps import quantize
from edgenet.steps.compile import Compiled, compile
from edgenet.verify import expected as replay
from edgenet.verify import golden
from tests.conftest import CHEAP


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, by the variable that users have."""
    monkeypatch.undo()
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "results"


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really computed, in order."""
    done: list[str] = []

    def note(module: object, name: str) -> None:
        real = getattr(module, name)

        def noted(*args: object, **more: object) -> object:
            done.append(name)
            return real(*args, **more)

        monkeypatch.setattr(module, name, noted)

    note(quantize, "quantize")
    note(golden, "_made")
    note(replay, "_answered")
    return done


def int8(model: Model, photos: Path, backend: str = "tflite", cache: bool = True) -> Compiled:
    return compile(model, "local", backend, "int8", CHEAP, photos, cache=cache)


def test_a_second_backend_quantizes_nothing_and_changes_no_byte(
    folder: Path, worked: list[str], model: Model, photos: Path
) -> None:
    alone = {name: int8(model, photos, name, cache=False) for name in ("tflite", "onnxruntime")}
    assert not folder.exists(), "without a cache nothing is kept"
    worked.clear()
    first = int8(model, photos, "tflite")
    assert worked == ["_made", "quantize"]
    second = int8(model, photos, "onnxruntime")
    assert worked == ["_made", "quantize"]
    assert (first.data, second.data) == (alone["tflite"].data, alone["onnxruntime"].data)
    assert first.quantized is not None
    assert second.quantized is not None
    assert (first.quantized.cached, second.quantized.cached) == (False, True)
    assert second.quantization is not None
    assert second.quantization.seconds == pytest.approx(first.quantized.account.seconds, abs=1e-3)
    int8(model, photos, "tflite", cache=False)
    assert worked == ["_made", "quantize"] * 2


def test_anything_that_counts_makes_another_entry(
    folder: Path, worked: list[str], model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights under an unchanged digest, card, recipe, images, version."""
    int8(model, photos)
    other = model.with_proto(type(model.proto).FromString(model.proto.SerializeToString()))
    kernel = next(item for item in other.proto.graph.initializer if len(item.dims) == 4)
    values = np.frombuffer(kernel.raw_data, np.float32).copy()
    values[0] += 0.01
    kernel.raw_data = values.tobytes()
    fed = replace(model, preprocessing=replace(model.preprocessing, mean=(120.0, 120.0, 120.0)))
    recipe = replace(Recipe.load(CHEAP), granularity="per-tensor")
    for change in (
        lambda: int8(other, photos),
        lambda: int8(fed, photos),
        lambda: compile(model, "local", "tflite", "int8", recipe, photos),
        lambda: compile(model, "local", "tflite", "int8", CHEAP, ImageSet.load(photos).head(9)),
    ):
        worked.clear()
        change()
        assert worked.count("quantize") == 1
    worked.clear()
    monkeypatch.setattr(edgenet.cache, "made_by", lambda: {"edgenet": "9"})
    int8(model, photos)
    assert worked == ["_made", "quantize"]


DAMAGE = {
    "truncated": lambda data: data[:-7],
    "empty": lambda data: b"",
    "a bit turned": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "whole, but something else": lambda data: edgenet.cache.sha256(b"hello").encode() + b"hello",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_made_again(
    folder: Path, worked: list[str], model: Model, photos: Path, damage: object
) -> None:
    first = int8(model, photos)
    kept = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.parent.name for path in kept} == {"golden", "quantized"}
    for path, data in kept.items():
        path.write_bytes(damage(data))  # type: ignore[operator]
    worked.clear()
    told: list[str] = []
    again = compile(
        model, "local", "tflite", "int8", CHEAP, photos, progress=lambda stage, *_: told.append(stage)
    )
    assert again.data == first.data
    assert worked == ["_made", "quantize"]
    for kind in ("golden", "quantized"):
        assert f"{kind}: damaged in the cache, made again" in told
    worked.clear()
    assert int8(model, photos).data == first.data
    assert worked == []


def test_the_float_model_answers_a_validation_set_once(
    folder: Path, worked: list[str], model: Model, photos: Path
) -> None:
    bundle, images = int8(model, photos).bundle, ImageSet.load(photos)
    first, second = replay.truth(bundle, images), replay.truth(bundle, images)
    assert worked.count("_answered") == 1
    assert first.pixels_sha256 == second.pixels_sha256
    assert np.array_equal(first.answers, second.answers)
    (entry,) = (folder / "reference").iterdir()
    data = entry.read_bytes()[64:-4]
    entry.write_bytes(edgenet.cache.sha256(data).encode() + data)
    third = replay.truth(bundle, images)
    assert np.array_equal(third.answers, first.answers)
    replay.truth(bundle, images, cache=False)
    assert worked.count("_answered") == 3
    told = bundle.manifest.model.changed(settings={"threshold": 0.9})
    replay.truth(replace(bundle, manifest=bundle.manifest.changed(model=told)), images)
    assert worked.count("_answered") == 4, "answers are compared as the card's settings say"


def test_processes_at_once_share_one_result(folder: Path, model_file: Path, photos: Path) -> None:
    """Four at the same time, then one more that finds what they left."""
    code = (
        "import sys, edgenet; done = edgenet.compile(*sys.argv[1:]);"
        "print(done.bundle.digest, done.quantized.cached)"
    )
    line = [sys.executable, "-c", code, str(model_file), "local", "tflite", "int8", CHEAP, str(photos)]
    running = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = [process.communicate()[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert len({digest for digest, _ in told}) == 1
    last = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()
    assert last == [told[0][0], "True"]
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2, "no temporary file is left"


def test_the_cache_is_bounded_and_keeps_what_was_used_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgenet.cache, "LIMIT", 3000)
    entries = [Cache("quantized", {"number": number}) for number in range(4)]
    for age, entry in enumerate(entries[:2]):
        entry.put(bytes(900))
        os.utime(entry.path, (age + 1, age + 1))
    assert entries[0].get() == bytes(900), "used last, though made first"
    entries[2].put(bytes(900))
    entries[3].put(bytes(900))
    assert [entry.get() is not None for entry in entries] == [True, False, True, True]
    entries[1].put(bytes(3000))
    assert entries[1].get() is None, "larger than all of it"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 3000


def test_what_a_killed_process_left_is_removed_a_day_later(folder: Path) -> None:
    entry = Cache("quantized", {})
    entry.put(b"one")
    old, young = folder / "quantized/.old.tmp", folder / "quantized/.young.tmp"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    entry.put(b"one")
    assert (old.exists(), young.exists(), entry.get()) == (False, True, b"one")


def test_a_folder_that_cannot_be_written_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Model, photos: Path
) -> None:
    monkeypatch.undo()
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    assert int8(model, photos).data == int8(model, photos, cache=False).data
